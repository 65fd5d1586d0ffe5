// What the chart is made of: the largest members of a dimension, each hour by hour, and the rest of the sum.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { type Span, type UsageDimension, type UsageFilter, type UsageInterval, type UsageShare, usageSeriesQuery } from "@/api/usage";
import type { Format } from "@/lib/format";
import { type Measure, type Measured, type Usage, measured } from "@/lib/measure";
import { shareId, useShareName } from "@/lib/share-names";

import { MOST_SERIES, REST_COLOR, seriesColor } from "./colors";
import { type Series, rest } from "./stack";

export interface Member {
  id: string;
  label: string;
  color: string;
  /** Null for the rest. */
  share: Pick<UsageShare, "id" | "name"> | null;
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

export function useChartData({ span, interval, by, measure, of, restLabel }: Ask): ChartData {
  const enabled = span !== null;
  const nameOf = useShareName(by);
  const { data, error, isPending, refetch } = useQuery({ ...usageSeriesQuery({ ...span, ...of, interval, by, sort: measure, top: MOST_SERIES }), enabled });
  const made = useMemo(() => {
    if (!data) return { starts: [], series: [], members: [], total: NOTHING };
    const valuesOf = (items: readonly Measured[]) => items.map((usage) => measured(usage, measure));
    const named = (data.members ?? []).filter(({ usage }) => measured(usage, measure) > 0);
    const members = named.map((member, at): Member => ({ id: shareId(member), label: nameOf(member), color: seriesColor(at), share: member, usage: member.usage }));
    const series = named.map(({ slices }, at): Series => ({ id: members[at]?.id ?? "", label: members[at]?.label ?? "", color: seriesColor(at), values: valuesOf(slices) }));
    const left = rest(valuesOf(data.items.map(({ usage }) => usage)), series.map(({ values }) => values));
    if (left.some((value) => value > 0)) {
      series.push({ id: "rest", label: restLabel, color: REST_COLOR, values: left });
      members.push({ id: "rest", label: restLabel, color: REST_COLOR, share: null, usage: null });
    }
    const whole = data.items.reduce(
      (all, { usage }) => ({
        cost: all.cost + Number(usage.costUsd),
        requests: all.requests + usage.requests,
        failures: all.failures + usage.failures,
        tokens: all.tokens + usage.totalTokens,
      }),
      NOTHING,
    );
    return { starts: data.items.map(({ start }) => start), series, members, total: whole };
  }, [data, measure, nameOf, restLabel]);
  return { ...made, isPending, error, refetch: () => void refetch() };
}

/** How values of a measure are written in full. */
export function valueFormat(measure: Measure, format: Format): (value: number) => string {
  if (measure === "cost") return format.usd;
  return measure === "requests" ? format.count : format.compact;
}
