// What the chart is made of: the largest members of a dimension, each hour by hour, and the rest of the sum.
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { type Span, type UsageDimension, type UsageFilter, type UsageInterval, type UsageShare, filterFor, topUsageQuery, usageSeriesQuery } from "@/api/usage";
import type { Format } from "@/lib/format";
import { type Measure, type Usage, measured } from "@/lib/measure";
import { shareId, useShareName } from "@/lib/share-names";

import { MOST_SERIES, REST_COLOR, seriesColor } from "./colors";
import { type Series, rest } from "./stack";

export interface Member {
  id: string;
  label: string;
  color: string;
  /** Null for the rest. */
  share: UsageShare | null;
  usage: Usage | null;
}

export interface ChartData {
  isPending: boolean;
  error: unknown;
  refetch: () => void;
  starts: string[];
  series: Series[];
  members: Member[];
  total: Total;
}

export interface Total {
  cost: number;
  requests: number;
  failures: number;
  tokens: number;
}

const NOTHING: Total = { cost: 0, requests: 0, failures: 0, tokens: 0 };

interface Ask {
  span: Span | null;
  interval: UsageInterval;
  by: UsageDimension;
  measure: Measure;
  /** Only of these. */
  of?: UsageFilter;
  restLabel: string;
}

const NOBODY: UsageShare[] = [];

export function useChartData({ span, interval, by, measure, of, restLabel }: Ask): ChartData {
  const enabled = span !== null;
  const query = { ...span, ...of };
  const nameOf = useShareName(by);
  const top = useQuery({ ...topUsageQuery(by, { ...query, sort: measure, limit: MOST_SERIES }), enabled });
  const total = useQuery({ ...usageSeriesQuery({ ...query, interval }), enabled });
  const shares = top.data ?? NOBODY;
  const asked = useMemo(
    () => shares.flatMap((share) => {
      const filter = filterFor(by, share);
      return filter && measured(share.usage, measure) > 0 ? [{ share, filter }] : [];
    }),
    [shares, by, measure],
  );
  const parts = useQueries({
    queries: asked.map(({ filter }) => ({ ...usageSeriesQuery({ ...query, ...filter, interval }), enabled: enabled && !top.isPlaceholderData })),
    combine: (results) => ({ data: results.map(({ data }) => data), isPending: results.some(({ isPending }) => isPending) }),
  });
  const isPending = !enabled || top.isPending || top.isPlaceholderData || total.isPending || parts.isPending;
  const made = useMemo(() => {
    if (isPending || !total.data) return { starts: [], series: [], members: [], total: NOTHING };
    const valuesOf = (items: readonly { usage: Usage }[] | undefined) => (items ?? []).map(({ usage }) => measured(usage, measure));
    const series = asked.map(({ share }, at) => ({ id: shareId(share), label: nameOf(share), color: seriesColor(at), values: valuesOf(parts.data[at]?.items) }));
    const members: Member[] = series.map(({ id, label, color }, at) => ({ id, label, color, share: asked[at]?.share ?? null, usage: asked[at]?.share.usage ?? null }));
    const left = rest(valuesOf(total.data.items), series.map(({ values }) => values));
    if (left.some((value) => value > 0)) {
      series.push({ id: "rest", label: restLabel, color: REST_COLOR, values: left });
      members.push({ id: "rest", label: restLabel, color: REST_COLOR, share: null, usage: null });
    }
    const whole = total.data.items.reduce(
      (all, { usage }) => ({
        cost: all.cost + Number(usage.costUsd),
        requests: all.requests + usage.requests,
        failures: all.failures + usage.failures,
        tokens: all.tokens + usage.totalTokens,
      }),
      NOTHING,
    );
    return { starts: total.data.items.map(({ start }) => start), series, members, total: whole };
  }, [isPending, total.data, parts.data, asked, measure, nameOf, restLabel]);
  return {
    ...made,
    isPending,
    error: top.error ?? total.error,
    refetch: () => {
      void top.refetch();
      void total.refetch();
    },
  };
}

/** How values of a measure are written in full. */
export function valueFormat(measure: Measure, format: Format): (value: number) => string {
  if (measure === "cost") return format.usd;
  return measure === "requests" ? format.count : format.compact;
}
