// What was used, from the sums of each hour.
import { queryOptions } from "@tanstack/react-query";

import { type Schemas, api, everyPage, unwrap } from "./client";

export type UsageShare = Schemas["UsageShare"];
export type UsageDimension = Schemas["UsageBy"];

export interface Span {
  from?: string;
  to?: string;
}

/** Sorted out by one dimension, the dearest first. */
export const usageByQuery = (dimension: UsageDimension, span: Span) =>
  queryOptions({
    queryKey: ["usage", "by", dimension, span],
    queryFn: () =>
      everyPage((cursor) =>
        unwrap(api.GET("/api/v1/usage/by/{dimension}", { params: { path: { dimension }, query: { ...span, cursor, limit: 200 } } })),
      ),
    refetchInterval: 30_000,
  });

/** The last 24 hours, from a full hour so that the address of the answer stays the same for one. */
export function lastDay(): Span {
  const hour = 3_600_000;
  return { from: new Date(Math.floor(Date.now() / hour) * hour - 23 * hour).toISOString() };
}
