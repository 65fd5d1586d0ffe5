// Nothing is here: why, and what to do next.
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

interface Props {
  icon: LucideIcon;
  title: string;
  text?: ReactNode;
  /** What to do next. */
  children?: ReactNode;
  className?: string;
  /** It is all of the page. */
  isPage?: boolean;
  role?: "alert";
}

export function Empty({ icon: Icon, title, text, children, className, isPage, role }: Props) {
  const Title = isPage ? "h1" : "p";
  return (
    <div role={role} className={cn("flex flex-col items-center justify-center gap-1 px-6 py-16 text-center", className)}>
      <span className="mb-3 flex size-11 items-center justify-center rounded-xl border bg-surface text-muted-foreground shadow-xs">
        <Icon aria-hidden className="size-5" />
      </span>
      <Title className="text-[0.9375rem] font-medium">{title}</Title>
      {text && <p className="max-w-md text-[0.8125rem] text-pretty text-muted-foreground">{text}</p>}
      {children && <div className="mt-4 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}
