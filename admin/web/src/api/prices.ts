// What models cost: the list, single models through time, tables to import, history to price again.
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { type Schemas, api, unwrap, versioned } from "./client";

export type Price = Schemas["Price"];
export type PriceChange = Schemas["PriceChange"];
export type PriceTier = Schemas["PriceTier"];
export type PriceSource = Schemas["PriceSource"];
export type PriceInput = Schemas["PriceInput"];
export type TierInput = Schemas["TierInput"];
export type ServiceTier = Schemas["ServiceTier"];
export type PriceDifference = Schemas["PriceDifference"];
export type ImportReport = Schemas["ImportReport"];
export type RepriceReport = Schemas["RepriceReport"];
export type UnpricedModel = Schemas["UnpricedModel"];

export const PRICE_SOURCES = ["manual", "synced", "builtin"] as const satisfies readonly PriceSource[];
export const SERVICE_TIERS = ["standard", "priority", "flex", "batch", "ultrafast", "balanced", "decisions"] as const satisfies readonly ServiceTier[];

const ALL = ["prices"] as const;
const path = (model: string) => ({ params: { path: { model } } });

export const pricesQuery = (query: { q?: string; source?: PriceSource }) =>
  infiniteQueryOptions({
    queryKey: [...ALL, "list", query],
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/v1/prices", { params: { query: { ...query, cursor: pageParam, limit: 200 } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export const unpricedQuery = queryOptions({
  queryKey: [...ALL, "unpriced"],
  queryFn: async () => (await unwrap(api.GET("/api/v1/prices/unpriced"))).items,
  refetchInterval: 60_000,
});

/** The price that holds for a model now. A model without one is an ordinary answer here: null. */
export const priceQuery = (model: string) =>
  queryOptions({
    queryKey: [...ALL, "now", model],
    queryFn: async () => {
      const { data, error, response } = await api.GET("/api/v1/prices/{model}", path(model));
      if (response.status === 404) return null;
      return unwrap(Promise.resolve({ data, error, response }));
    },
    staleTime: 300_000,
  });

/** The same with its version, for a form. */
export const versionedPriceQuery = (model: string) =>
  queryOptions({ queryKey: [...ALL, "one", model], queryFn: () => versioned(api.GET("/api/v1/prices/{model}", path(model))), retry: false });

export const priceHistoryQuery = (model: string) =>
  queryOptions({ queryKey: [...ALL, "history", model], queryFn: async () => (await unwrap(api.GET("/api/v1/prices/{model}/history", path(model)))).items });

function useForgetting<V, T>(mutationFn: (variables: V) => Promise<T>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn, onSuccess: () => queries.invalidateQueries({ queryKey: ALL }) });
}

export function usePutPrice() {
  return useForgetting(({ model, input, etag }: { model: string; input: PriceInput; etag?: string | undefined }) =>
    unwrap(api.PUT("/api/v1/prices/{model}", { params: { path: { model }, header: etag ? { "If-Match": etag } : {} }, body: input })),
  );
}

export function useDeletePrice() {
  return useForgetting((model: string) => unwrap(api.DELETE("/api/v1/prices/{model}", path(model))));
}

/** Says what a table would change, or takes it over. */
export function useImportPrices() {
  return useForgetting(({ table, apply }: { table: Record<string, unknown>; apply: boolean }) =>
    unwrap(api.POST("/api/v1/prices/import", { params: { query: { apply } }, body: table as Record<string, never> })),
  );
}

export function useSyncPrices() {
  return useForgetting(({ url, apply }: { url?: string | undefined; apply: boolean }) =>
    unwrap(api.POST("/api/v1/prices/sync", { body: { apply, ...(url && { url }) } })),
  );
}

/** One call of pricing history again; it does what it can in ten seconds. */
export function repriceOnce(input: Schemas["RepriceInput"]): Promise<RepriceReport> {
  return unwrap(api.POST("/api/v1/prices/reprice", { body: input }));
}
