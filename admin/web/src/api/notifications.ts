// Where messages go, what is told, and what was sent.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { useChange, useListChange } from "./change";
import { type Schemas, api, everyPage, unwrap, versioned } from "./client";

export type Target = Schemas["NotificationTarget"];
export type TargetCreate = Schemas["NotificationTargetCreate"];
export type TargetPatch = Schemas["NotificationTargetPatch"];
export type TargetKind = Schemas["NotificationTargetKind"];
export type TestReport = Schemas["NotificationTestReport"];
export type Rule = Schemas["NotificationRule"];
export type RuleCreate = Schemas["NotificationRuleCreate"];
export type RulePatch = Schemas["NotificationRulePatch"];
export type RuleEvent = Schemas["NotificationEvent"];
export type Delivery = Schemas["NotificationDelivery"];
export type DeliveryState = Schemas["NotificationDeliveryState"];
export type DeliveryEvent = Schemas["NotificationDeliveryEvent"];

export const KINDS = ["feishu", "dingtalk", "wecom", "telegram", "slack", "webhook"] as const satisfies readonly TargetKind[];
export const LANGUAGES = ["en", "zh"] as const satisfies readonly Target["language"][];
export const EVENTS = [
  "breaker-opened", "breaker-closed", "provider-out-of-budget", "limit-near", "unpriced-model", "error-rate-jump", "daily-report",
] as const satisfies readonly RuleEvent[];
export const STATES = ["pending", "delivered", "failed"] as const satisfies readonly DeliveryState[];

const TARGETS = ["notification-targets"] as const;
const RULES = ["notification-rules"] as const;
const DELIVERIES = ["notification-deliveries"] as const;

export const targetsQuery = queryOptions({
  queryKey: TARGETS,
  queryFn: () => everyPage((cursor) => unwrap(api.GET("/api/v1/notifications/targets", { params: { query: { cursor, limit: 200 } } }))),
});

export const targetQuery = (id: number) =>
  queryOptions({
    queryKey: ["notification-target", id],
    queryFn: () => versioned(api.GET("/api/v1/notifications/targets/{id}", { params: { path: { id } } })),
  });

export const rulesQuery = queryOptions({
  queryKey: RULES,
  queryFn: () => everyPage((cursor) => unwrap(api.GET("/api/v1/notifications/rules", { params: { query: { cursor, limit: 200 } } }))),
});

export const ruleQuery = (id: number) =>
  queryOptions({
    queryKey: ["notification-rule", id],
    queryFn: () => versioned(api.GET("/api/v1/notifications/rules/{id}", { params: { path: { id } } })),
  });

export interface DeliveryFilter {
  state?: DeliveryState;
  event?: DeliveryEvent;
  targetId?: number;
}

const PAGE = 100;

export const deliveriesQuery = (filter: DeliveryFilter) =>
  infiniteQueryOptions({
    queryKey: [...DELIVERIES, filter],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/notifications/deliveries", { params: { query: { ...filter, cursor: pageParam, limit: PAGE } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: 10_000,
  });

export const useCreateTarget = () => useChange((body: TargetCreate) => unwrap(api.POST("/api/v1/notifications/targets", { body })), TARGETS);

export const useUpdateTarget = () =>
  useChange(
    ({ id, patch, etag }: { id: number; patch: TargetPatch; etag: string }) =>
      unwrap(api.PATCH("/api/v1/notifications/targets/{id}", { params: { path: { id }, header: { "If-Match": etag } }, body: patch })),
    TARGETS,
  );

export const useDeleteTarget = () =>
  useChange((id: number) => unwrap(api.DELETE("/api/v1/notifications/targets/{id}", { params: { path: { id } } })), TARGETS, RULES);

/** Sends a message at once, and answers what came back. */
export const useTestTarget = () =>
  useChange((id: number) => unwrap(api.POST("/api/v1/notifications/targets/{id}/test", { params: { path: { id } } })), DELIVERIES);

export const useCreateRule = () => useChange((body: RuleCreate) => unwrap(api.POST("/api/v1/notifications/rules", { body })), RULES);

export const useUpdateRule = () =>
  useChange(
    ({ id, patch, etag }: { id: number; patch: RulePatch; etag: string }) =>
      unwrap(api.PATCH("/api/v1/notifications/rules/{id}", { params: { path: { id }, header: { "If-Match": etag } }, body: patch })),
    RULES,
  );

export const useDeleteRule = () => useChange((id: number) => unwrap(api.DELETE("/api/v1/notifications/rules/{id}", { params: { path: { id } } })), RULES);

/** A switch: at once on the screen, taken back when the gateway refuses. */
export const useSwitchTarget = () =>
  useListChange<Target, { id: number; isEnabled: boolean }>(
    TARGETS,
    ({ id, isEnabled }) => unwrap(api.PATCH("/api/v1/notifications/targets/{id}", { params: { path: { id } }, body: { isEnabled } })),
    ({ isEnabled }) => ({ isEnabled }),
  );

/** The same for a rule. */
export const useSwitchRule = () =>
  useListChange<Rule, { id: number; isEnabled: boolean }>(
    RULES,
    ({ id, isEnabled }) => unwrap(api.PATCH("/api/v1/notifications/rules/{id}", { params: { path: { id } }, body: { isEnabled } })),
    ({ isEnabled }) => ({ isEnabled }),
  );
