// What lies over the page: a dialog in the middle, a sheet from the right.
import { XIcon } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";

import { cn } from "@/lib/cn";
import { defineMessages, useMessages } from "@/lib/i18n";

import { Button } from "./button";

const messages = defineMessages({ en: { close: "Close" }, zh: { close: "关闭" } });

export const Dialog = Primitive.Root;
export const DialogTrigger = Primitive.Trigger;
export const DialogClose = Primitive.Close;

interface Props extends Omit<ComponentProps<typeof Primitive.Content>, "title"> {
  title: ReactNode;
  description?: ReactNode;
  /** Below the part that scrolls. */
  footer?: ReactNode;
}

/** A press on a toast, such as its undo, is no wish to leave. */
function keepForToasts(event: { target: EventTarget | null; preventDefault: () => void }): void {
  if (event.target instanceof Element && event.target.closest("[data-toast]")) event.preventDefault();
}

function Frame({ title, description, footer, children, className, ...rest }: Props) {
  const t = useMessages(messages);
  return (
    <Primitive.Portal>
      <Primitive.Overlay className="fixed inset-0 z-40 animate-[fade-in_120ms_ease-out] bg-black/45" />
      <Primitive.Content {...(description ? {} : { "aria-describedby": undefined })} onInteractOutside={keepForToasts} className={cn("fixed z-50 flex flex-col border bg-raised shadow-raised outline-none", className)} {...rest}>
        <header className="flex items-start gap-3 border-b px-4 py-3 md:px-5">
          <div className="min-w-0 flex-1">
            <Primitive.Title className="truncate text-[0.9375rem] leading-6 font-semibold">{title}</Primitive.Title>
            {description && <Primitive.Description className="mt-0.5 text-[0.8125rem] text-muted-foreground">{description}</Primitive.Description>}
          </div>
          <Primitive.Close asChild>
            <Button look="ghost" size="icon-small" aria-label={t.close}>
              <XIcon />
            </Button>
          </Primitive.Close>
        </header>
        <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-4 py-4 md:px-5" tabIndex={-1}>{children}</div>
        {footer && <footer className="flex flex-wrap items-center justify-end gap-2 border-t px-4 py-3 md:px-5">{footer}</footer>}
      </Primitive.Content>
    </Primitive.Portal>
  );
}

export function DialogContent({ className, ...rest }: Props) {
  return (
    <Frame
      className={cn("top-1/2 left-1/2 max-h-[85dvh] w-[calc(100vw-2rem)] max-w-md -translate-x-1/2 -translate-y-1/2 animate-[appear_140ms_ease-out] rounded-xl", className)}
      {...rest}
    />
  );
}

/** The sheet itself takes the focus, unless a field in it asks for it: a ring around the cross says nothing. */
function focusSheet(event: Event): void {
  event.preventDefault();
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus();
}

export function SheetContent({ className, ...rest }: Props) {
  return (
    <Frame
      onOpenAutoFocus={focusSheet}
      className={cn("inset-y-0 right-0 w-full max-w-2xl animate-[slide-in_180ms_cubic-bezier(0.2,0.8,0.2,1)] border-y-0 border-r-0", className)}
      {...rest}
    />
  );
}
