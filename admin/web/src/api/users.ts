// Users.
import { queryOptions } from "@tanstack/react-query";

import { useChange, useListChange } from "./change";
import { type Schemas, api, everyPage, unwrap, versioned } from "./client";

export { type Key, keysQuery } from "./keys";

export type User = Schemas["User"];
export type UserCreate = Schemas["UserCreate"];
export type UserPatch = Schemas["UserPatch"];
export type LimitUsage = Schemas["LimitUsage"];

const LIST = ["users"] as const;

/** All of them; for admins. */
export const usersQuery = queryOptions({
  queryKey: LIST,
  queryFn: () => everyPage((cursor) => unwrap(api.GET("/api/v1/users", { params: { query: { cursor, limit: 200 } } }))),
  staleTime: 30_000,
});

/** One with its version, for a form. */
export const userQuery = (id: number) =>
  queryOptions({
    queryKey: ["user", id],
    queryFn: () => versioned(api.GET("/api/v1/users/{id}", { params: { path: { id } } })),
  });

/** Every limit with what is used of it. The gateway has the figures at hand. */
export const userLimitsQuery = (id: number) =>
  queryOptions({
    queryKey: ["limits", "user", id],
    queryFn: () => unwrap(api.GET("/api/v1/users/{id}/limits", { params: { path: { id } } })),
    staleTime: 20_000,
    refetchInterval: 30_000,
  });

export const userUsageQuery = (id: number) =>
  queryOptions({
    queryKey: ["usage", "user", id],
    queryFn: () => unwrap(api.GET("/api/v1/users/{id}/usage", { params: { path: { id } } })),
    refetchInterval: 30_000,
  });

export const useCreateUser = () => useChange((body: UserCreate) => unwrap(api.POST("/api/v1/users", { body })), LIST);

export const useUpdateUser = () =>
  useChange(
    ({ id, patch, etag }: { id: number; patch: UserPatch; etag: string }) =>
      unwrap(api.PATCH("/api/v1/users/{id}", { params: { path: { id }, header: { "If-Match": etag } }, body: patch })),
    LIST,
    ["limits", "user"],
  );

/** At once on the screen; taken back when the gateway refuses. */
export const useEnableUser = () =>
  useListChange<User, { id: number; enabled: boolean }>(
    LIST,
    ({ id, enabled }) => unwrap(api.POST("/api/v1/users/{id}/enable", { params: { path: { id } }, body: { enabled } })),
    ({ enabled }) => ({ isEnabled: enabled }),
  );

export const useRenewUser = () =>
  useChange(
    ({ id, expiresAt }: { id: number; expiresAt: string }) =>
      unwrap(api.POST("/api/v1/users/{id}/renew", { params: { path: { id } }, body: { expiresAt } })),
    LIST,
  );

export const useResetUserLimits = () =>
  useChange((id: number) => unwrap(api.POST("/api/v1/users/{id}/limits/reset", { params: { path: { id } } })), LIST, ["limits"]);

export const useDeleteUser = () =>
  useChange((id: number) => unwrap(api.DELETE("/api/v1/users/{id}", { params: { path: { id } } })), LIST, ["keys"]);

/** The same change of many: of all, or of none. */
export const useUpdateUsers = () =>
  useChange(({ ids, changes }: { ids: number[]; changes: UserPatch }) => unwrap(api.PATCH("/api/v1/users", { body: { ids, changes } })), LIST, ["limits", "user"]);
