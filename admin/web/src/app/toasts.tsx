// Short words on what just happened, with a way back where there is one.
import { CircleCheckIcon, TriangleAlertIcon, XIcon } from "lucide-react";
import { useEffect } from "react";

import { describe } from "@/api/problem";
import { Button } from "@/components/ui/button";
import { defineMessages, useMessages } from "@/lib/i18n";
import { createStore, useStore } from "@/lib/store";

interface Toast {
  id: number;
  text: string;
  isError: boolean;
  undo?: () => void;
}

const messages = defineMessages({
  en: { undo: "Undo", dismiss: "Dismiss", region: "Notifications" },
  zh: { undo: "撤销", dismiss: "关闭", region: "通知" },
});

/** More would hide the page. */
const MOST = 3;
const STAY_MS = 6000;

const store = createStore<readonly Toast[]>([]);
let nextId = 1;

function show(toast: Omit<Toast, "id">): void {
  store.set([...store.get().slice(1 - MOST), { ...toast, id: nextId++ }]);
}

function dismiss(id: number): void {
  store.set(store.get().filter((toast) => toast.id !== id));
}

export const toast = {
  /** It worked; `undo` puts it back as it was. */
  done: (text: string, undo?: () => void) => show({ text, isError: false, ...(undo && { undo }) }),
  /** It did not. */
  failed: (error: unknown) => show({ text: describe(error), isError: true }),
};

export function Toasts() {
  const t = useMessages(messages);
  const toasts = useStore(store);
  return (
    <section aria-label={t.region} className="pointer-events-none fixed inset-x-4 bottom-4 z-60 flex flex-col items-end gap-2">
      <div role="status" aria-live="polite" className="contents">
        {toasts.map((toast) => (
          <ToastCard key={toast.id} toast={toast} />
        ))}
      </div>
    </section>
  );
}

function ToastCard({ toast }: { toast: Toast }) {
  const t = useMessages(messages);
  const { id, undo } = toast;
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), toast.isError ? STAY_MS * 2 : STAY_MS);
    return () => clearTimeout(timer);
  }, [id, toast.isError]);
  const Icon = toast.isError ? TriangleAlertIcon : CircleCheckIcon;
  return (
    <div data-toast className="pointer-events-auto flex w-full max-w-sm animate-[appear_160ms_ease-out] items-center gap-2.5 rounded-lg border bg-raised py-2 pr-2 pl-3 shadow-raised">
      <Icon aria-hidden className={toast.isError ? "size-4 shrink-0 text-bad" : "size-4 shrink-0 text-ok"} />
      <p className="min-w-0 flex-1 text-[0.8125rem] break-words">{toast.text}</p>
      {undo && (
        <Button
          size="small"
          onClick={() => {
            dismiss(id);
            undo();
          }}
        >
          {t.undo}
        </Button>
      )}
      <Button look="ghost" size="icon-small" aria-label={t.dismiss} onClick={() => dismiss(id)}>
        <XIcon />
      </Button>
    </div>
  );
}
