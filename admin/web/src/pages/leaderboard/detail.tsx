// One member in the span: its course, its tokens, and what it was used with.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";

import { type Span, type UsageDimension, type UsageFilter, type UsageShare, topUsageQuery, usageSeriesQuery } from "@/api/usage";
import { BarChart, ChartSkeleton } from "@/components/chart";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { cacheShare, measured } from "@/lib/measure";
import { dimensionWords, requestsOf, shareId, useShareName } from "@/lib/share-names";

import { ShareBar } from "./columns";
import { messages } from "./messages";

interface Props {
  share: UsageShare;
  by: UsageDimension;
  filter: UsageFilter;
  span: { from: string; to: string };
}

const CHART_PX = 176;
/** Up to so many days are shown by the hour. */
const HOURLY_MS = 8 * 86_400_000;

export function Detail({ share, by, filter, span }: Props) {
  const t = useMessages(messages);
  const words = useMessages(dimensionWords);
  const format = useFormat();
  const nameOf = useShareName(by);
  const other = by === "model" ? "user" : "model";
  const interval = Date.parse(span.to) - Date.parse(span.from) <= HOURLY_MS ? "hour" : "day";
  const hours = useQuery(usageSeriesQuery({ ...span, ...filter, interval }));
  const parts = useQuery(topUsageQuery(other, { ...span, ...filter, limit: 10 }));
  const name = nameOf(share);
  const series = useMemo(
    () => [{ id: "cost", label: t.cost, color: "chart-1", values: hours.data?.items.map(({ usage }) => Number(usage.costUsd)) ?? [] }],
    [hours.data, t],
  );
  const starts = useMemo(() => hours.data?.items.map(({ start }) => start) ?? [], [hours.data]);
  const { usage } = share;
  const cached = cacheShare(usage);
  const figures: readonly (readonly [string, string])[] = [
    [t.measures.cost, format.usd(usage.costUsd)],
    [t.measures.requests, format.count(usage.requests)],
    [t.errors, format.count(usage.failures)],
    [t.cached, cached === null ? "—" : format.percent(cached)],
    [t.input, format.compact(usage.inputTokens)],
    [t.output, format.compact(usage.outputTokens)],
    [t.read, format.compact(usage.cacheReadTokens)],
    [t.written, format.compact(usage.cacheWrite5mTokens + usage.cacheWrite1hTokens)],
  ];
  const link = requestsOf(by, share);
  return (
    <div className="space-y-5">
      <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border bg-border sm:grid-cols-4">
        {figures.map(([label, value]) => (
          <div key={label} className="bg-surface px-3 py-2">
            <dt className="text-2xs text-muted-foreground">{label}</dt>
            <dd className="text-[0.9375rem] font-medium tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      {usage.unpricedAttempts > 0 && <p className="text-xs text-warn">{t.unpriced(format.count(usage.unpricedAttempts))}</p>}
      <section>
        <h3 className="pb-2 text-xs font-medium text-muted-foreground">{t.cost}</h3>
        {hours.data ? (
          <BarChart
            label={t.chart(name)}
            starts={starts}
            interval={interval}
            zone={hours.data.timeZone}
            series={series}
            format={format.usd}
            formatShort={format.usdShort}
            height={CHART_PX}
            total={t.total}
          />
        ) : (
          <ChartSkeleton height={CHART_PX} />
        )}
      </section>
      <section>
        <h3 className="pb-1 text-xs font-medium text-muted-foreground">{t.with[by]}</h3>
        <Parts shares={parts.isPlaceholderData ? undefined : parts.data} by={other} span={span} />
      </section>
      {link && (
        <Button asChild>
          <Link to="/requests" search={{ ...link, ...span }}>
            {t.requests}
          </Link>
        </Button>
      )}
      <span className="sr-only">{words.names[by]}</span>
    </div>
  );
}

function Parts({ shares, by }: { shares: readonly UsageShare[] | undefined; by: UsageDimension; span: Span }) {
  const format = useFormat();
  const nameOf = useShareName(by);
  if (!shares) {
    return (
      <div aria-busy className="space-y-3 py-2">
        {Array.from({ length: 4 }, (_, index) => (
          <Skeleton key={index} />
        ))}
      </div>
    );
  }
  const costs = shares.map(({ usage }) => measured(usage, "cost"));
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  return (
    <ul className="divide-y divide-border/60 border-y border-border/60">
      {shares.map((share, at) => (
        <li key={shareId(share)} className="grid grid-cols-[minmax(0,1fr)_minmax(0,0.8fr)_5rem] items-center gap-3 py-1.5 text-[0.8125rem]">
          <span className="truncate">{nameOf(share)}</span>
          <ShareBar value={costs[at] ?? 0} top={Math.max(...costs)} total={total} format={format} />
          <span className="text-right tabular-nums">{format.usd(share.usage.costUsd)}</span>
        </li>
      ))}
    </ul>
  );
}
