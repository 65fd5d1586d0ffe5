// A small line without axes: the shape of the day. What it says in figures stands beside it.
import { cn } from "@/lib/cn";

interface Props {
  values: readonly number[];
  /** Drawn behind, dashed: what it is compared with. */
  before?: readonly number[];
  /** How many values the whole width has room for; the line may end before. */
  length?: number;
  className?: string;
}

const WIDTH = 100;
const HEIGHT = 28;

export function Sparkline({ values, before = [], length, className }: Props) {
  const room = Math.max(length ?? 0, values.length, before.length, 2);
  const top = Math.max(...values, ...before, Number.MIN_VALUE);
  const path = (points: readonly number[]) =>
    points.map((value, at) => `${at === 0 ? "M" : "L"}${((at / (room - 1)) * WIDTH).toFixed(2)} ${(HEIGHT - 1 - (value / top) * (HEIGHT - 3)).toFixed(2)}`).join("");
  const line = path(values);
  const end = ((Math.max(values.length - 1, 0) / (room - 1)) * WIDTH).toFixed(2);
  return (
    <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className={cn("h-7 w-full overflow-visible text-accent", className)}>
      {before.length > 1 && (
        <path d={path(before)} fill="none" stroke="var(--muted-foreground)" strokeOpacity="0.55" strokeWidth="1" strokeDasharray="2 2.5" vectorEffect="non-scaling-stroke" />
      )}
      {values.length > 1 && (
        <>
          <path d={`${line}L${end} ${HEIGHT}L0 ${HEIGHT}Z`} fill="currentColor" fillOpacity="0.1" />
          <path d={line} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" vectorEffect="non-scaling-stroke" />
        </>
      )}
    </svg>
  );
}
