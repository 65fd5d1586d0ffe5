// Client keys.
import { queryOptions } from "@tanstack/react-query";

import { useChange, useListChange } from "./change";
import { type Schemas, api, everyPage, unwrap, versioned } from "./client";

export type Key = Schemas["Key"];
export type KeyPatch = Schemas["KeyPatch"];
/** With the key itself, which is told once. */
export type NewKey = Schemas["NewKey"];

const LIST = ["keys"] as const;

/** All of them; a key holder gets the own ones. */
export const keysQuery = queryOptions({
  queryKey: LIST,
  queryFn: () => everyPage((cursor) => unwrap(api.GET("/api/v1/keys", { params: { query: { cursor, limit: 200 } } }))),
  staleTime: 30_000,
});

export const keyQuery = (id: number) =>
  queryOptions({
    queryKey: ["key", id],
    queryFn: () => versioned(api.GET("/api/v1/keys/{id}", { params: { path: { id } } })),
  });

export const keyLimitsQuery = (id: number) =>
  queryOptions({
    queryKey: ["limits", "key", id],
    queryFn: () => unwrap(api.GET("/api/v1/keys/{id}/limits", { params: { path: { id } } })),
    staleTime: 20_000,
    refetchInterval: 30_000,
  });

export const useCreateKey = () =>
  useChange(
    ({ userId, body }: { userId: number; body: KeyPatch }) =>
      unwrap(api.POST("/api/v1/users/{id}/keys", { params: { path: { id: userId } }, body })),
    LIST,
  );

export const useUpdateKey = () =>
  useChange(
    ({ id, patch, etag }: { id: number; patch: KeyPatch; etag: string }) =>
      unwrap(api.PATCH("/api/v1/keys/{id}", { params: { path: { id }, header: { "If-Match": etag } }, body: patch })),
    LIST,
    ["limits", "key"],
  );

/** At once on the screen; taken back when the gateway refuses. */
export const useEnableKey = () =>
  useListChange<Key, { id: number; enabled: boolean }>(
    LIST,
    ({ id, enabled }) => unwrap(api.POST("/api/v1/keys/{id}/enable", { params: { path: { id } }, body: { enabled } })),
    ({ enabled }) => ({ isEnabled: enabled }),
  );

export const useRenewKey = () =>
  useChange(
    ({ id, expiresAt }: { id: number; expiresAt: string }) =>
      unwrap(api.POST("/api/v1/keys/{id}/renew", { params: { path: { id } }, body: { expiresAt } })),
    LIST,
  );

export const useRotateKey = () => useChange((id: number) => unwrap(api.POST("/api/v1/keys/{id}/rotate", { params: { path: { id } } })), LIST);

export const useResetKeyLimits = () =>
  useChange((id: number) => unwrap(api.POST("/api/v1/keys/{id}/limits/reset", { params: { path: { id } } })), LIST, ["limits"]);

export const useDeleteKey = () => useChange((id: number) => unwrap(api.DELETE("/api/v1/keys/{id}", { params: { path: { id } } })), LIST);
