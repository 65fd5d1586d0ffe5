// A panel with a title.
import type { ComponentProps, ReactNode } from "react";

import { cn } from "@/lib/cn";

export function Card({ className, ...rest }: ComponentProps<"section">) {
  return <section className={cn("min-w-0 rounded-xl border bg-surface", className)} {...rest} />;
}

export function CardHeader({ title, children, className }: { title: ReactNode; children?: ReactNode; className?: string }) {
  return (
    <header className={cn("flex min-h-11 items-center gap-2 border-b px-4 py-2", className)}>
      <h2 className="min-w-0 flex-1 truncate text-[0.8125rem] font-medium">{title}</h2>
      {children}
    </header>
  );
}
