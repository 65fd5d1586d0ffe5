// A form beside a page: it asks before what was typed is lost, says what was refused, and counts what has changed.
import { type FormEvent, type ReactNode, createContext, useContext, useRef, useState } from "react";

import { ProblemError, describe } from "@/api/problem";
import { Confirm } from "@/components/confirm";
import { Button } from "@/components/ui/button";
import { Dialog, SheetContent } from "@/components/ui/dialog";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { defineMessages, useMessages } from "@/lib/i18n";

const messages = defineMessages({
  en: {
    cancel: "Cancel",
    save: "Save",
    saving: "Saving…",
    unchanged: "Nothing has changed",
    changes: (count: number) => (count === 1 ? "1 change" : `${count} changes`),
    discardTitle: "Discard the changes?",
    discardText: "What you typed is lost.",
    discard: "Discard",
    reload: "Load the new version",
  },
  zh: {
    cancel: "取消",
    save: "保存",
    saving: "正在保存…",
    unchanged: "没有修改",
    changes: (count) => `${count} 处修改`,
    discardTitle: "放弃修改？",
    discardText: "已输入的内容将丢失。",
    discard: "放弃",
    reload: "载入最新版本",
  },
});

interface Holder {
  leave: () => void;
  setDirty: (isDirty: boolean) => void;
}

const FormHolder = createContext<Holder>({ leave: () => undefined, setDirty: () => undefined });

interface SheetProps {
  title: string;
  description?: ReactNode;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
  className?: string;
}

export function FormSheet({ title, description, isOpen, onClose, children, className }: SheetProps) {
  const t = useMessages(messages);
  const [isAsking, setIsAsking] = useState(false);
  const isDirty = useRef(false);
  const close = () => {
    isDirty.current = false;
    setIsAsking(false);
    onClose();
  };
  const leave = () => (isDirty.current ? setIsAsking(true) : close());
  return (
    <Dialog open={isOpen} onOpenChange={(open) => !open && leave()}>
      {isOpen && (
        <SheetContent title={title} description={description} className={className}>
          <FormHolder value={{ leave, setDirty: (dirty) => (isDirty.current = dirty) }}>{children}</FormHolder>
        </SheetContent>
      )}
      {isAsking && <Confirm title={t.discardTitle} text={t.discardText} action={t.discard} onConfirm={close} onClose={() => setIsAsking(false)} />}
    </Dialog>
  );
}

interface FrameProps {
  /** How many fields differ from what is stored. */
  changes: number;
  isEdit: boolean;
  isPending: boolean;
  error: unknown;
  onSubmit: () => void;
  /** Reads anew what somebody else has changed in the meantime. */
  onReload?: () => void;
  /** What making a new one is called. */
  create?: string;
  children: ReactNode;
}

/** The form itself, within a `FormSheet`. */
export function FormFrame({ changes, isEdit, isPending, error, onSubmit, onReload, create, children }: FrameProps) {
  const t = useMessages(messages);
  const { leave, setDirty } = useContext(FormHolder);
  setDirty(changes > 0);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form onSubmit={submit} noValidate>
      {error !== null && error !== undefined && <FormFailure error={error} onReload={onReload} />}
      {children}
      <div className="sticky -bottom-4 -mx-4 mt-2 -mb-4 flex items-center gap-2 border-t bg-raised px-4 py-3 md:-mx-5 md:px-5">
        <p className="flex-1 text-xs text-muted-foreground tabular-nums" aria-live="polite">
          {isEdit && (changes === 0 ? t.unchanged : t.changes(changes))}
        </p>
        <Button onClick={leave}>{t.cancel}</Button>
        <Button type="submit" look="primary" disabled={isPending || (isEdit && changes === 0)}>
          {isPending ? t.saving : isEdit ? t.save : create}
        </Button>
      </div>
    </form>
  );
}

export function FormFailure({ error, onReload, className }: { error: unknown; onReload?: (() => void) | undefined; className?: string }) {
  const t = useMessages(messages);
  const isStale = error instanceof ProblemError && error.status === 412;
  return (
    <div role="alert" className={cn("mb-4 flex items-center gap-3 rounded-md bg-bad-soft px-3 py-2 text-[0.8125rem] text-bad", className)}>
      <p className="flex-1">{describe(error)}</p>
      {isStale && onReload && <Button size="small" onClick={onReload}>{t.reload}</Button>}
    </div>
  );
}

export function FormSkeleton({ fields = 10 }: { fields?: number }) {
  return (
    <div aria-busy className="grid gap-4 sm:grid-cols-2">
      {Array.from({ length: fields }, (_, index) => (
        <div key={index} className="space-y-2">
          <Skeleton className="h-3.5 w-24" />
          <Skeleton className="h-8" />
        </div>
      ))}
    </div>
  );
}
