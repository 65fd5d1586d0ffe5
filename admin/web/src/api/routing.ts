// What would happen to a request.
import { queryOptions } from "@tanstack/react-query";

import { type Schemas, api, unwrap } from "./client";

export type ExplainRequest = Schemas["ExplainRequest"];
export type Explanation = Schemas["Explanation"];
export type Candidate = Schemas["ExplainedCandidate"];
export type ExplainedReason = Schemas["ExplainedReason"];
export type Protocol = Schemas["Protocol"];

export const PROTOCOLS = ["anthropic", "responses", "openai", "gemini", "gemini-cli"] as const satisfies readonly Protocol[];

export const explainQuery = (ask: ExplainRequest) =>
  queryOptions({
    queryKey: ["explain", ask],
    queryFn: () => unwrap(api.POST("/api/v1/routing/explain", { body: ask })),
    staleTime: 5000,
    placeholderData: (before) => before,
  });
