// What the caller may know of the own key: who one is, what is left, what was used.
import { queryOptions } from "@tanstack/react-query";

import { api, unwrap } from "./client";

export const myLimitsQuery = queryOptions({
  queryKey: ["me", "limits"],
  queryFn: () => unwrap(api.GET("/api/v1/me/limits")),
  refetchInterval: 15_000,
});

export const myUsageQuery = queryOptions({
  queryKey: ["me", "usage"],
  queryFn: () => unwrap(api.GET("/api/v1/me/usage")),
  refetchInterval: 30_000,
});
