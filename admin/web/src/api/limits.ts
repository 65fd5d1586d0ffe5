// Limits with what is used of them.
import { queryOptions } from "@tanstack/react-query";

import { type Schemas, api, unwrap } from "./client";

export type LimitUsage = Schemas["LimitUsage"];
export type MoneyGauge = Schemas["MoneyGauge"];
export type CountGauge = Schemas["CountGauge"];

export const MONEY_LIMITS = ["limit5hUsd", "limitDailyUsd", "limitWeeklyUsd", "limitMonthlyUsd", "limitTotalUsd"] as const;
export const COUNT_LIMITS = ["rpm", "limitConcurrentRequests", "limitConcurrentSessions"] as const;
export type LimitName = (typeof MONEY_LIMITS)[number] | (typeof COUNT_LIMITS)[number];

export const userLimitsQuery = (id: number) =>
  queryOptions({
    queryKey: ["users", id, "limits"],
    queryFn: () => unwrap(api.GET("/api/v1/users/{id}/limits", { params: { path: { id } } })),
    refetchInterval: 60_000,
    staleTime: 30_000,
  });

export const keyLimitsQuery = (id: number) =>
  queryOptions({
    queryKey: ["keys", id, "limits"],
    queryFn: () => unwrap(api.GET("/api/v1/keys/{id}/limits", { params: { path: { id } } })),
    refetchInterval: 60_000,
    staleTime: 30_000,
  });

export type NearLimit = Schemas["NearLimit"];

/** Limits in money that are nearly used up, the worst first. */
export const nearLimitsQuery = (share: number) =>
  queryOptions({
    queryKey: ["limits", "near", share],
    queryFn: () => unwrap(api.GET("/api/v1/limits/near", { params: { query: { share } } })),
    refetchInterval: 30_000,
  });

export interface LimitLine {
  name: LimitName;
  isMoney: boolean;
  current: number;
  limit: number;
  /** 0 to 1, and beyond. */
  share: number;
  resetsAt: string | null;
}

/** The limits that are set, in the order they are set in. A limit of nothing is used up from the start. */
export function limitLines(usage: LimitUsage): LimitLine[] {
  return [...MONEY_LIMITS, ...COUNT_LIMITS].flatMap((name) => {
    const gauge = usage[name];
    if (gauge.limit === null || gauge.limit === undefined) return [];
    const limit = Number(gauge.limit);
    const current = Number(gauge.current ?? 0);
    const share = limit > 0 ? current / limit : 1;
    return [{ name, isMoney: (MONEY_LIMITS as readonly string[]).includes(name), current, limit, share, resetsAt: gauge.resetsAt ?? null }];
  });
}
