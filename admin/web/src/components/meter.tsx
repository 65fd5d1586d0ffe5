// How much of something is used: a bar that turns to a warning near its end. The figures stand beside it.
import { cn } from "@/lib/cn";

interface Props {
  /** 0 to 1; more is shown as full. */
  share: number;
  label: string;
  className?: string;
}

/** From here on a limit is near. */
export const NEAR = 0.8;

export function Meter({ share, label, className }: Props) {
  const tone = share >= 1 ? "bg-bad" : share >= NEAR ? "bg-warn" : "bg-accent";
  return (
    <div role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.min(100, Math.round(share * 100))} className={cn("h-1.5 overflow-hidden rounded-full bg-muted", className)}>
      <div className={cn("h-full rounded-full transition-[width] duration-300", tone)} style={{ width: share > 0 ? `max(${Math.min(share, 1) * 100}%, 3px)` : 0 }} />
    </div>
  );
}
