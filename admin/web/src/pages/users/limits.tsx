// Limits with bars of what is used of them.
import type { LimitUsage } from "@/api/users";
import { Meter, toneOf } from "@/components/meter";
import { RelativeTime } from "@/components/time";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { LIMITS, type LimitName, MONEY } from "./form/values";
import { messages } from "./messages";

export interface Gauge {
  name: LimitName;
  isMoney: boolean;
  current: number | undefined;
  limit: number | undefined;
  resetsAt: string | undefined;
}

function number(value: string | number | null | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

export function gaugesOf(usage: LimitUsage): Gauge[] {
  return LIMITS.map((name) => ({
    name,
    isMoney: (MONEY as readonly string[]).includes(name),
    current: number(usage[name].current),
    limit: number(usage[name].limit),
    resetsAt: usage[name].resetsAt ?? undefined,
  }));
}

export function shareOf({ current, limit }: Gauge): number {
  if (limit === undefined) return 0;
  return limit === 0 ? 1 : (current ?? 0) / limit;
}

/** The one that will refuse first. */
export function tightest(usage: LimitUsage): Gauge | undefined {
  return gaugesOf(usage)
    .filter((gauge) => gauge.limit !== undefined)
    .sort((a, b) => shareOf(b) - shareOf(a))[0];
}

const TEXT = { ok: "", warn: "text-warn", bad: "text-bad" } as const;

export function LimitList({ usage }: { usage: LimitUsage | undefined }) {
  const t = useMessages(messages);
  if (!usage) return <LimitSkeleton />;
  const all = gaugesOf(usage);
  const limited = all.filter((gauge) => gauge.limit !== undefined);
  const open = all.filter((gauge) => gauge.limit === undefined);
  return (
    <>
      {limited.length > 0 && (
        <ul className="grid gap-x-6 gap-y-3 sm:grid-cols-2">
          {limited.map((gauge) => <GaugeRow key={gauge.name} gauge={gauge} />)}
        </ul>
      )}
      {open.length > 0 && (
        <p className={cn("text-xs text-muted-foreground", limited.length > 0 && "mt-3")}>
          {limited.length === 0 ? t.noLimits : t.openLimits(open.map((gauge) => t.limitNames[gauge.name]).join(t.comma))}
        </p>
      )}
    </>
  );
}

function GaugeRow({ gauge }: { gauge: Gauge }) {
  const t = useMessages(messages);
  const format = useFormat();
  const show = (value: number) => (gauge.isMoney ? format.usd(value) : format.count(value));
  const share = shareOf(gauge);
  return (
    <li className="min-w-0">
      <p className="flex items-baseline gap-2 text-[0.8125rem]">
        <span className="min-w-0 flex-1 truncate">{t.limitNames[gauge.name]}</span>
        <span className="tabular-nums">
          <span className={cn("font-medium", TEXT[toneOf(share)])}>{show(gauge.current ?? 0)}</span>
          <span className="text-muted-foreground"> / {show(gauge.limit ?? 0)}</span>
        </span>
      </p>
      <Meter share={share} label={t.limitNames[gauge.name]} className="mt-1.5" />
      <p className="mt-1 flex justify-between gap-2 text-2xs text-muted-foreground tabular-nums">
        <span>{format.percent(share)}</span>
        {gauge.resetsAt && (
          <span>
            {t.resets} <RelativeTime value={gauge.resetsAt} />
          </span>
        )}
      </p>
    </li>
  );
}

function LimitSkeleton() {
  return (
    <div aria-busy className="grid gap-x-6 gap-y-4 sm:grid-cols-2">
      {Array.from({ length: 4 }, (_, index) => (
        <div key={index} className="space-y-2">
          <Skeleton className="h-3.5 w-2/3" />
          <Skeleton className="h-1.5" />
        </div>
      ))}
    </div>
  );
}
