// Asks before something that cannot be taken back, and says what will happen.
import type { ReactNode } from "react";

import { defineMessages, useMessages } from "@/lib/i18n";

import { Button } from "./ui/button";
import { Dialog, DialogClose, DialogContent } from "./ui/dialog";

const messages = defineMessages({ en: { cancel: "Cancel" }, zh: { cancel: "取消" } });

interface Props {
  title: string;
  /** What will happen. */
  text: ReactNode;
  /** The verb. */
  action: string;
  onConfirm: () => void;
  onClose: () => void;
  isPending?: boolean;
  isDanger?: boolean;
}

export function Confirm({ title, text, action, onConfirm, onClose, isPending, isDanger = true }: Props) {
  const t = useMessages(messages);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        role="alertdialog"
        title={title}
        footer={
          <>
            <DialogClose asChild>
              <Button>{t.cancel}</Button>
            </DialogClose>
            <Button look={isDanger ? "danger" : "primary"} disabled={isPending} onClick={onConfirm}>
              {action}
            </Button>
          </>
        }
      >
        <div className="text-[0.8125rem] leading-5 text-pretty">{text}</div>
      </DialogContent>
    </Dialog>
  );
}
