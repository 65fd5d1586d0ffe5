// How the gateway is.
import { queryOptions } from "@tanstack/react-query";

import { useChange } from "./change";
import { type Schemas, api, unwrap } from "./client";

export type HealthPart = Schemas["HealthPart"];

/** A gateway that is not well answers 503 with the same body. */
export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: async () => {
    const { data, error } = await api.GET("/api/health");
    const report = data ?? error;
    if (!report) throw new TypeError("no answer");
    return report;
  },
  refetchInterval: 15_000,
});

/** Closes every breaker, on every node. */
export const useResetAllBreakers = () => useChange(() => unwrap(api.POST("/api/v1/breakers/reset")), ["breakers"]);
