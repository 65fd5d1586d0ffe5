// Rules that say whose fault an upstream's failure is.
import { queryOptions, useMutation } from "@tanstack/react-query";

import { useChange, useListChange } from "./change";
import { type Schemas, api, everyPage, unwrap, versioned } from "./client";

export type ErrorRule = Schemas["ErrorRule"];
export type ErrorRuleCreate = Schemas["ErrorRuleCreate"];
export type ErrorRulePatch = Schemas["ErrorRulePatch"];
export type ErrorRuleVerdict = Schemas["ErrorRuleVerdict"];
export type RuleFault = Schemas["RuleFault"];

export const FAULTS = ["client", "poison", "key", "model", "provider"] as const satisfies readonly RuleFault[];
export const MATCHES = ["contains", "exact", "regex"] as const satisfies readonly ErrorRule["match"][];

const LIST = ["error-rules"] as const;

export const errorRulesQuery = queryOptions({
  queryKey: LIST,
  queryFn: () => everyPage((cursor) => unwrap(api.GET("/api/v1/error-rules", { params: { query: { cursor, limit: 200 } } }))),
});

export const errorRuleQuery = (id: number) =>
  queryOptions({
    queryKey: ["error-rule", id],
    queryFn: () => versioned(api.GET("/api/v1/error-rules/{id}", { params: { path: { id } } })),
  });

export const useCreateErrorRule = () => useChange((body: ErrorRuleCreate) => unwrap(api.POST("/api/v1/error-rules", { body })), LIST);

export const useUpdateErrorRule = () =>
  useChange(
    ({ id, patch, etag }: { id: number; patch: ErrorRulePatch; etag: string }) =>
      unwrap(api.PATCH("/api/v1/error-rules/{id}", { params: { path: { id }, header: { "If-Match": etag } }, body: patch })),
    LIST,
  );

/** What is edited in the table: at once on the screen, taken back when the gateway refuses. */
export const usePatchErrorRule = () =>
  useListChange<ErrorRule, { id: number; patch: Partial<Pick<ErrorRule, "isEnabled" | "priority">> }>(
    LIST,
    ({ id, patch }) => unwrap(api.PATCH("/api/v1/error-rules/{id}", { params: { path: { id } }, body: patch })),
    ({ patch }) => patch,
  );

export const useDeleteErrorRule = () => useChange((id: number) => unwrap(api.DELETE("/api/v1/error-rules/{id}", { params: { path: { id } } })), LIST);

/** Holds the rules against a failure's text; changes nothing. */
export const useTestErrorRules = () =>
  useMutation({
    mutationFn: ({ sample, providerId }: { sample: string; providerId: number | null }) =>
      unwrap(api.POST("/api/v1/error-rules/test", { body: { sample, providerId } })),
  });
