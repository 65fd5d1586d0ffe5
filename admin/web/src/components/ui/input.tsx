// Fields one types into.
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

export const fieldLook =
  "w-full min-w-0 rounded-md border border-input bg-surface px-2.5 text-[0.8125rem] shadow-xs transition-[border-color,box-shadow] placeholder:text-muted-foreground/80 focus-visible:border-ring focus-visible:ring-3 focus-visible:ring-ring/25 focus-visible:outline-none disabled:opacity-60 aria-invalid:border-bad aria-invalid:ring-bad/20 max-md:text-base";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input className={cn(fieldLook, "h-8", className)} {...rest} />;
}

export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea className={cn(fieldLook, "min-h-16 py-1.5", className)} {...rest} />;
}

/** The browser's own choice list: it works on every phone and with every reader. */
export function Select({ className, children, ...rest }: ComponentProps<"select">) {
  return (
    <span className={cn("relative inline-flex w-full", className)}>
      <select className={cn(fieldLook, "h-8 appearance-none pr-8")} {...rest}>
        {children}
      </select>
      <svg aria-hidden viewBox="0 0 16 16" className="pointer-events-none absolute top-1/2 right-2.5 size-3.5 -translate-y-1/2 text-muted-foreground">
        <path d="M4 6l4 4 4-4" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" />
      </svg>
    </span>
  );
}
