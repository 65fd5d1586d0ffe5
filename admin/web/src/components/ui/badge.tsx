// A word with a colour, and a dot with one.
import { type VariantProps, cva } from "class-variance-authority";
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

const badgeLook = cva(
  "inline-flex h-5 max-w-full shrink-0 items-center gap-1 rounded px-1.5 text-2xs font-medium whitespace-nowrap tabular-nums [&_svg]:size-3",
  {
    variants: {
      tone: {
        neutral: "bg-muted text-muted-foreground",
        accent: "bg-accent-soft text-accent",
        ok: "bg-ok-soft text-ok",
        warn: "bg-warn-soft text-warn",
        bad: "bg-bad-soft text-bad",
        outline: "border text-muted-foreground",
      },
    },
    defaultVariants: { tone: "neutral" },
  },
);

export type Tone = NonNullable<VariantProps<typeof badgeLook>["tone"]>;

/** How a badge looks, for what is drawn often: worked out once. */
export const badgeClass = (tone: Tone, className: string): string => cn(badgeLook({ tone }), className);

export function Badge({ className, tone, ...rest }: ComponentProps<"span"> & { tone?: Tone }) {
  return <span className={cn(badgeLook({ tone }), className)} {...rest} />;
}

const DOT: Record<Tone, string> = {
  neutral: "bg-muted-foreground/60",
  accent: "bg-accent",
  ok: "bg-ok",
  warn: "bg-warn",
  bad: "bg-bad",
  outline: "border border-muted-foreground",
};

/** Never the only sign: words stand beside it. */
export function Dot({ tone, isLive, className }: { tone: Tone; isLive?: boolean; className?: string }) {
  return <span aria-hidden className={cn("inline-block size-1.5 shrink-0 rounded-full", DOT[tone], isLive && "animate-breathe", className)} />;
}
