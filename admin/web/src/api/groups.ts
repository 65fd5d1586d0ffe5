// Provider groups: what is said of them, and the names that are in use.
import { queryOptions, useQuery } from "@tanstack/react-query";

import { useChange } from "./change";
import { type Schemas, api, everyPage, unwrap, versioned } from "./client";
import { providersQuery } from "./providers";

export type ProviderGroup = Schemas["ProviderGroup"];
export type ProviderGroupCreate = Schemas["ProviderGroupCreate"];
export type ProviderGroupPatch = Schemas["ProviderGroupPatch"];

const LIST = ["groups"] as const;

export const groupsQuery = queryOptions({
  queryKey: LIST,
  queryFn: () => everyPage((cursor) => unwrap(api.GET("/api/v1/provider-groups", { params: { query: { cursor, limit: 200 } } }))),
});

export const groupQuery = (id: number) =>
  queryOptions({
    queryKey: ["group", id],
    queryFn: () => versioned(api.GET("/api/v1/provider-groups/{id}", { params: { path: { id } } })),
  });

export const useCreateGroup = () => useChange((body: ProviderGroupCreate) => unwrap(api.POST("/api/v1/provider-groups", { body })), LIST);

export const useUpdateGroup = () =>
  useChange(
    ({ id, patch, etag }: { id: number; patch: ProviderGroupPatch; etag: string }) =>
      unwrap(api.PATCH("/api/v1/provider-groups/{id}", { params: { path: { id }, header: { "If-Match": etag } }, body: patch })),
    LIST,
  );

export const useDeleteGroup = () => useChange((id: number) => unwrap(api.DELETE("/api/v1/provider-groups/{id}", { params: { path: { id } } })), LIST);

/** Names of groups that providers carry or that something is said of; for suggestions. */
export function useGroupNames(isEnabled = true): readonly string[] {
  const groups = useQuery({ ...groupsQuery, enabled: isEnabled }).data ?? [];
  const providers = useQuery({ ...providersQuery, enabled: isEnabled }).data ?? [];
  const names = new Set(["default", ...groups.map(({ name }) => name), ...providers.flatMap(({ groupTags }) => groupTags)]);
  return [...names].sort();
}
