// What a bar is made of, beside the pointer.
import { useLayoutEffect, useRef, useState } from "react";

import type { Series } from "./stack";

interface Props {
  /** The middle of the bar, in the chart. */
  left: number;
  title: string;
  rows: readonly (Series & { value: number })[];
  format: (value: number) => string;
  total: string;
}

const GAP = 14;

export function ChartTip({ left, title, rows, format, total }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [x, setX] = useState(0);
  useLayoutEffect(() => {
    const width = box.current?.offsetWidth ?? 0;
    const room = box.current?.parentElement?.clientWidth ?? 0;
    const beside = left + GAP + width > room ? left - GAP - width : left + GAP;
    setX(Math.max(0, Math.min(beside, room - width)));
  }, [left, rows]);
  const some = rows.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
  const sum = some.reduce((all, { value }) => all + value, 0);
  return (
    <div ref={box} className="pointer-events-none absolute top-1 z-10 min-w-44 rounded-lg border bg-raised px-3 py-2 text-xs shadow-raised" style={{ left: x }}>
      <p className="pb-1 font-medium whitespace-nowrap">{title}</p>
      <dl>
        {some.map((row) => (
          <div key={row.id} className="flex items-center gap-2 leading-5">
            <dt className="flex min-w-0 flex-1 items-center gap-1.5 text-muted-foreground">
              <span aria-hidden className="size-2 shrink-0 rounded-[2px]" style={{ background: `var(--${row.color})` }} />
              <span className="max-w-40 truncate">{row.label}</span>
            </dt>
            <dd className="tabular-nums">{format(row.value)}</dd>
          </div>
        ))}
        {some.length !== 1 && (
          <div className="mt-1 flex gap-4 border-t pt-1 font-medium">
            <dt className="flex-1">{total}</dt>
            <dd className="tabular-nums">{format(sum)}</dd>
          </div>
        )}
      </dl>
    </div>
  );
}
