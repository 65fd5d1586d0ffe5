// Providers and what is known of them.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { useListChange } from "./change";
import { type Schemas, api, everyPage, unwrap, versioned } from "./client";

export type Provider = Schemas["Provider"];
export type ProviderType = Schemas["ProviderType"];
export type ProviderCreate = Schemas["ProviderCreate"];
export type ProviderPatch = Schemas["ProviderPatch"];
export type Breaker = Schemas["Breaker"];

export const PROVIDER_TYPES = ["claude", "claude-auth", "codex", "openai-compatible", "gemini", "gemini-cli"] as const satisfies readonly ProviderType[];

const LIST = ["providers"] as const;

/** All of them: configuration bounds their number. */
export const providersQuery = queryOptions({
  queryKey: LIST,
  queryFn: () => everyPage((cursor) => unwrap(api.GET("/api/v1/providers", { params: { query: { cursor, limit: 200 } } }))),
  refetchInterval: 30_000,
});

/** One with its version, for a form. Not below the list: what a form began with must not change under the hands of its reader. */
export const providerQuery = (id: number) =>
  queryOptions({
    queryKey: ["provider", id],
    queryFn: () => versioned(api.GET("/api/v1/providers/{id}", { params: { path: { id } } })),
  });

/** The breakers that are not closed. */
export const breakersQuery = queryOptions({
  queryKey: ["breakers"],
  queryFn: async () => (await unwrap(api.GET("/api/v1/breakers"))).items,
  refetchInterval: 5000,
});

export const providerBreakersQuery = (id: number) =>
  queryOptions({
    queryKey: ["breakers", id],
    queryFn: async () => (await unwrap(api.GET("/api/v1/providers/{id}/breaker", { params: { path: { id } } }))).items,
    refetchInterval: 5000,
  });

/** Changes some fields at once on the screen, and takes it back when the gateway refuses. */
export const usePatchProvider = () =>
  useListChange<Provider, { id: number; patch: InlinePatch }>(
    LIST,
    ({ id, patch }) => unwrap(api.PATCH("/api/v1/providers/{id}", { params: { path: { id } }, body: patch })),
    ({ patch }) => patch,
  );

/** What is edited in the table. */
export type InlinePatch = Partial<Pick<Provider, "priority" | "weight" | "isEnabled">>;

export function useCreateProvider() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: ProviderCreate) => unwrap(api.POST("/api/v1/providers", { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: LIST }),
  });
}

export function useUpdateProvider() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, patch, etag }: { id: number; patch: ProviderPatch; etag: string }) =>
      unwrap(api.PATCH("/api/v1/providers/{id}", { params: { path: { id }, header: { "If-Match": etag } }, body: patch })),
    onSettled: () => queries.invalidateQueries({ queryKey: LIST }),
  });
}

export function useDeleteProvider() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => unwrap(api.DELETE("/api/v1/providers/{id}", { params: { path: { id } } })),
    onSuccess: (_nothing, id) => {
      queries.setQueryData(providersQuery.queryKey, (all) => all?.filter((each) => each.id !== id));
    },
    onSettled: () => queries.invalidateQueries({ queryKey: LIST, exact: true }),
  });
}

export function useResetBreakers() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => unwrap(api.POST("/api/v1/providers/{id}/breaker/reset", { params: { path: { id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["breakers"] }),
  });
}
