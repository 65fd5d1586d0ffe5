// A moment: relative, exact on hover, in the browser's time zone.
import { useEffect } from "react";

import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { createStore, useStore } from "@/lib/store";

import { Tooltip } from "./ui/popover";

/** One clock for all moments on the page. */
const now = createStore(Date.now());
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** The time, each second while somebody looks. */
export function useNow(): number {
  useEffect(() => {
    watchers += 1;
    timer ??= setInterval(() => now.set(Date.now()), 1000);
    return () => {
      watchers -= 1;
      if (watchers > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
  return useStore(now);
}

interface Props {
  value: string;
  className?: string;
}

export function RelativeTime({ value, className }: Props) {
  const format = useFormat();
  const current = useNow();
  return (
    <Tooltip content={format.exact(value)}>
      <time dateTime={value} className={cn("tabular-nums", className)}>
        {format.relative(value, current)}
      </time>
    </Tooltip>
  );
}

/** The clock's time; what is relative is in the tip. For dense tables: it does not tick. */
export function ClockTime({ value, className }: Props) {
  const format = useFormat();
  return (
    <time dateTime={value} title={`${format.exact(value)} · ${format.relative(value)}`} className={cn("tabular-nums", className)}>
      {format.clock(value)}
    </time>
  );
}
