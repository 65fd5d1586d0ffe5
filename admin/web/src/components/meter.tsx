// How much of something is used, as a bar. The figures stand beside it: a bar is never the only sign.
import { cn } from "@/lib/cn";

interface Props {
  /** A share of 1; more than 1 is full. */
  share: number;
  label: string;
  className?: string;
}

export const NEARLY = 0.8;

export function toneOf(share: number): "ok" | "warn" | "bad" {
  if (share >= 1) return "bad";
  return share >= NEARLY ? "warn" : "ok";
}

const FILL = { ok: "bg-accent", warn: "bg-warn", bad: "bg-bad" } as const;

export function Meter({ share, label, className }: Props) {
  const percent = Math.min(100, Math.max(0, share * 100));
  return (
    <span
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
      className={cn("block h-1.5 w-full overflow-hidden rounded-full bg-foreground/10", className)}
    >
      <span
        className={cn("block h-full rounded-full transition-[width] duration-500", FILL[toneOf(share)])}
        style={{ width: percent > 0 ? `max(${percent}%, 3px)` : 0 }}
      />
    </span>
  );
}
