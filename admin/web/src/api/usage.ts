// What was used, from the sums of each hour.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import { type Schemas, api, everyPage, unwrap } from "./client";

export type Usage = Schemas["Usage"];
export type UsageShare = Schemas["UsageShare"];
export type UsageSeries = Schemas["UsageSeries"];
export type UsageMember = Schemas["UsageMember"];
export type UsageDimension = Schemas["UsageBy"];
export type UsageSort = Schemas["UsageSort"];
export type UsageInterval = Schemas["UsageInterval"];
export type UsageSummary = Schemas["UsageSummary"];
export type ClientName = Schemas["ClientName"];

export const DIMENSIONS = ["user", "key", "provider", "model", "client"] as const satisfies readonly UsageDimension[];

export interface Span {
  from?: string;
  to?: string;
}

/** Whose usage; nothing is everybody's. */
export interface UsageFilter {
  userId?: number;
  keyId?: number;
  providerId?: number;
  model?: string;
  client?: ClientName;
}

const REFRESH_MS = 30_000;

/** Sorted out by one dimension, the dearest first. */
export const usageByQuery = (dimension: UsageDimension, span: Span) =>
  queryOptions({
    queryKey: ["usage", "by", dimension, span],
    queryFn: () =>
      everyPage((cursor) =>
        unwrap(api.GET("/api/v1/usage/by/{dimension}", { params: { path: { dimension }, query: { ...span, cursor, limit: 200 } } })),
      ),
    refetchInterval: REFRESH_MS,
  });

/** The largest shares only, of everybody or of what the filter leaves. */
export const topUsageQuery = (dimension: UsageDimension, query: Span & UsageFilter & { sort?: UsageSort; limit: number }) =>
  queryOptions({
    queryKey: ["usage", "top", dimension, query],
    queryFn: async ({ signal }) => (await unwrap(api.GET("/api/v1/usage/by/{dimension}", { params: { path: { dimension }, query }, signal }))).items,
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  });

/** Over time; with `by` also the part of the largest of them. */
export const usageSeriesQuery = (query: Span & UsageFilter & { interval: UsageInterval; by?: UsageDimension; sort?: UsageSort; top?: number }) =>
  queryOptions({
    queryKey: ["usage", "series", query],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/usage/series", { params: { query }, signal })),
    refetchInterval: REFRESH_MS,
  });

export const usageTotalsQuery = (query: Span & UsageFilter) =>
  queryOptions({
    queryKey: ["usage", "totals", query],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/usage/totals", { params: { query }, signal })),
    refetchInterval: REFRESH_MS,
  });

export type LeaderboardAsk = Span & { period: Schemas["LeaderboardPeriod"]; by: UsageDimension; sort: UsageSort };

export const leaderboardQuery = (ask: LeaderboardAsk) =>
  infiniteQueryOptions({
    queryKey: ["usage", "leaderboard", ask],
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/v1/usage/leaderboard", { params: { query: { ...ask, cursor: pageParam, limit: 100 } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  });

/** The filter that leaves one member of a dimension. `null` where it cannot be asked for: what nobody served, and what has no name. */
export function filterFor(dimension: UsageDimension, share: Pick<UsageShare, "id" | "name">): UsageFilter | null {
  const { id, name } = share;
  if (dimension === "model") return name ? { model: name } : null;
  if (dimension === "client") return name ? { client: name as ClientName } : null;
  if (id === null || id === undefined) return null;
  if (dimension === "user") return { userId: id };
  return dimension === "key" ? { keyId: id } : { providerId: id };
}

const HOUR_MS = 3_600_000;

/** The full hour so many hours ago, so that the address of the answer stays the same for one. */
export function hoursAgo(hours: number): string {
  return new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - hours * HOUR_MS).toISOString();
}

/** The last 24 hours. */
export function lastDay(): Span {
  return { from: hoursAgo(23) };
}

/** Reaches back to the beginning of yesterday, whatever the hour and the clocks. */
const PULSE_HOURS = 50;

/** Hour by hour, today and yesterday. */
export const pulseQuery = () => usageSeriesQuery({ interval: "hour", from: hoursAgo(PULSE_HOURS) });
