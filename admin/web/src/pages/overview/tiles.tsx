// The figures of today, each beside yesterday's, and those of the last minutes.
import { ArrowDownIcon, ArrowUpIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { Live } from "@/api/live";
import type { RequestList } from "@/api/requests";
import { Sparkline } from "@/components/sparkline";
import { useNow } from "@/components/time";
import { Dot } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { Tooltip } from "@/components/ui/popover";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { cacheShare, change, sum } from "@/lib/measure";

import { messages } from "./messages";
import { type Pulse, compared, errorsOf, minutesOf } from "./pulse";

interface TileProps {
  label: string;
  value: ReactNode;
  delta?: { share: number | null; isWorse?: boolean } | undefined;
  note: ReactNode;
  line: ReactNode;
}

function Tile({ label, value, delta, note, line }: TileProps) {
  return (
    <div data-testid="tile" className="flex min-w-0 flex-col bg-surface px-4 pt-3.5 pb-3">
      <h2 className="text-xs text-muted-foreground">{label}</h2>
      <p className="mt-1 flex flex-wrap items-baseline gap-x-2">
        <span className="text-[1.625rem] leading-8 font-semibold tracking-tight tabular-nums">{value}</span>
        {delta && <Delta {...delta} />}
      </p>
      <div className="mt-2 mb-2">{line}</div>
      <p className="mt-auto text-2xs text-pretty text-muted-foreground tabular-nums sm:truncate">{note}</p>
    </div>
  );
}

/** From here on a factor says more than percents. */
const MANY = 9;

function Delta({ share, isWorse }: { share: number | null; isWorse?: boolean }) {
  const t = useMessages(messages);
  const format = useFormat();
  if (share === null) return null;
  const Arrow = share < 0 ? ArrowDownIcon : ArrowUpIcon;
  return (
    <Tooltip content={t.versus}>
      <span tabIndex={0} className={cn("inline-flex items-center gap-0.5 rounded text-xs font-medium tabular-nums", isWorse ? "text-bad" : "text-muted-foreground")}>
        <Arrow aria-hidden className="size-3" />
        {share > MANY ? `×${format.count(share + 1)}` : format.percent(Math.abs(share))}
        <span className="sr-only">{t.versus}</span>
      </span>
    </Tooltip>
  );
}

const STRIP = "grid gap-px overflow-hidden rounded-xl border bg-border";

export function TodayTiles({ pulse }: { pulse: Pulse | undefined }) {
  const t = useMessages(messages);
  const format = useFormat();
  if (!pulse) return <TilesSkeleton />;
  const cost = compared(pulse, "cost");
  const requests = compared(pulse, "requests");
  const tokens = compared(pulse, "tokens");
  const errors = errorsOf(pulse.today);
  const errorsBefore = errorsOf(pulse.yesterday);
  const cached = cacheShare({
    inputTokens: sum(pulse.today.map((usage) => usage.inputTokens)),
    cacheReadTokens: sum(pulse.today.map((usage) => usage.cacheReadTokens)),
    cacheWrite5mTokens: sum(pulse.today.map((usage) => usage.cacheWrite5mTokens)),
    cacheWrite1hTokens: sum(pulse.today.map((usage) => usage.cacheWrite1hTokens)),
  });
  const unpriced = sum(pulse.today.map((usage) => usage.unpricedAttempts));
  const isWorse = errors.share !== null && errors.share > 0.01 && errors.share > (errorsBefore.share ?? 0) * 1.5;
  return (
    <div className={cn(STRIP, "grid-cols-2 xl:grid-cols-4")}>
      <Tile
        label={t.spendToday}
        value={format.usd(cost.now)}
        delta={{ share: change(cost.now, cost.before) }}
        note={unpriced > 0 ? t.unpriced(format.count(unpriced)) : t.yesterday(format.usd(cost.whole))}
        line={<Sparkline values={cost.today} before={cost.yesterday} length={24} />}
      />
      <Tile
        label={t.requestsToday}
        value={format.count(requests.now)}
        delta={{ share: change(requests.now, requests.before) }}
        note={t.yesterday(format.count(requests.whole))}
        line={<Sparkline values={requests.today} before={requests.yesterday} length={24} className="text-chart-2" />}
      />
      <Tile
        label={t.tokensToday}
        value={format.compact(tokens.now)}
        delta={{ share: change(tokens.now, tokens.before) }}
        note={cached === null ? t.yesterday(format.compact(tokens.whole)) : t.cached(format.percent(cached))}
        line={<Sparkline values={tokens.today} before={tokens.yesterday} length={24} className="text-chart-4" />}
      />
      <Tile
        label={t.errorsToday}
        value={errors.share === null ? "—" : format.percent(errors.share)}
        delta={isWorse && errorsBefore.share ? { share: change(errors.share ?? 0, errorsBefore.share), isWorse } : undefined}
        note={`${t.failed(format.count(errors.failures))}${errorsBefore.share === null ? "" : ` · ${t.yesterday(format.percent(errorsBefore.share))}`}`}
        line={<Sparkline values={errors.byHour} before={errorsBefore.byHour} length={24} className={isWorse ? "text-bad" : "text-chart-3"} />}
      />
    </div>
  );
}

function TilesSkeleton() {
  return (
    <div aria-busy className={cn(STRIP, "grid-cols-2 xl:grid-cols-4")}>
      {Array.from({ length: 4 }, (_, index) => (
        <div key={index} className="space-y-3 bg-surface px-4 py-3.5">
          <Skeleton className="h-3 w-20" />
          <Skeleton className="h-7 w-28" />
          <Skeleton className="h-7" />
          <Skeleton className="h-3 w-32" />
        </div>
      ))}
    </div>
  );
}

/** How many rows are asked for. */
export const NEWEST = 200;

export function NowStrip({ list, live }: { list: RequestList | undefined; live: Live | null }) {
  const t = useMessages(messages);
  const format = useFormat();
  const now = useNow();
  const minutes = list && minutesOf(list.items, NEWEST, now, live?.sessions);
  const isBusy = (live?.inFlight ?? 0) > 0 || Boolean(minutes && minutes.rows > 0);
  const ms = (value: number | null) => (value === null ? "—" : format.ms(value));
  const figures: readonly (readonly [string, ReactNode])[] = minutes
    ? [
        [t.inFlight, live ? format.count(live.inFlight) : "—"],
        [t.rpm, <span key="rpm">{minutes.rpm >= 10 ? format.count(minutes.rpm) : Number(minutes.rpm.toFixed(1))}<span className="text-xs font-normal text-muted-foreground">{t.rpmUnit}</span></span>],
        [t.tokens, <span key="tokens">{format.compact(minutes.tpm)}<span className="text-xs font-normal text-muted-foreground">{t.rpmUnit}</span></span>],
        [t.sessions, format.count(minutes.sessions)],
        [t.ttft50, ms(minutes.ttft50)],
        [t.ttft95, ms(minutes.ttft95)],
        [t.errorsNow, minutes.errors === null ? "—" : format.percent(minutes.errors)],
        [t.overhead, ms(minutes.overhead50)],
      ]
    : [t.inFlight, t.rpm, t.tokens, t.sessions, t.ttft50, t.ttft95, t.errorsNow, t.overhead].map((label) => [label, <Skeleton key={label} className="h-5 w-14" />] as const);
  return (
    <Card className="flex items-stretch overflow-hidden max-lg:flex-col">
      <div className="flex items-center gap-3 border-b px-4 py-2 lg:w-44 lg:shrink-0 lg:border-r lg:border-b-0">
        <Tooltip content={t.nowText(format.count(minutes?.rows ?? 0))}>
          <h2 tabIndex={0} className="flex shrink-0 items-center gap-2 rounded text-xs font-medium">
            <Dot tone={isBusy ? "ok" : "neutral"} isLive={isBusy} />
            {t.now}
          </h2>
        </Tooltip>
        <Sparkline values={minutes?.byMinute ?? []} className="h-5 min-w-0 flex-1 text-ok" />
      </div>
      <dl data-testid="now" className="grid min-w-0 flex-1 grid-cols-2 gap-x-4 gap-y-2 px-4 py-2.5 sm:grid-cols-4 xl:grid-cols-8">
        {figures.map(([label, value]) => (
          <div key={label} className="min-w-0">
            <dt className="truncate text-2xs text-muted-foreground">{label}</dt>
            <dd className="text-[0.9375rem] leading-5 font-medium tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
