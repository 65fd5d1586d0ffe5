// The request log, by pages, newest first.
import { type InfiniteData, infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { type Schemas, api, unwrap } from "./client";

export type RequestRow = Schemas["RequestRow"];
export type RequestDetail = Schemas["RequestDetail"];
export type Attempt = Schemas["Attempt"];
export type RequestList = Schemas["RequestList"];

/** What the API filters by. */
export interface RequestFilter {
  userId?: number;
  keyId?: number;
  providerId?: number;
  model?: string;
  status?: number;
  sessionId?: string;
  endpoint?: string;
  from?: string;
  to?: string;
}

const PAGE = 200;

export const requestsQuery = (filter: RequestFilter) =>
  infiniteQueryOptions({
    queryKey: ["requests", "list", filter],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/requests", { params: { query: { ...filter, cursor: pageParam, limit: PAGE } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    // The tail brings what is new; asking for every page anew would be a storm.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });

/** The newest ones, for the live tail. */
export const newestRequestsQuery = (filter: RequestFilter) =>
  queryOptions({
    queryKey: ["requests", "tail", filter],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/requests", { params: { query: { ...filter, limit: PAGE } }, signal })),
    gcTime: 0,
  });

export const requestQuery = (id: string) =>
  queryOptions({
    queryKey: ["requests", "one", id],
    queryFn: () => unwrap(api.GET("/api/v1/requests/{id}", { params: { path: { id } } })),
    // A row is written once; only its price may change.
    staleTime: 60_000,
  });

export type RequestPages = InfiniteData<RequestList, string | undefined>;

/**
 * The pages with `newest` in their places. Rows are ordered by id, and a long request arrives below younger ones that ended earlier, so
 * this merges instead of putting in front. Rows older than what is loaded are left to paging.
 */
export function mergeNewest(pages: RequestPages, newest: readonly RequestRow[]): RequestPages {
  const [first, ...rest] = pages.pages;
  if (!first) return pages;
  // What is above the floor can only be in the first page, so the others, of which there may be hundreds, are left alone.
  const known = new Set(first.items.map((row) => row.id));
  const floor = first.nextCursor ? first.items.at(-1)?.id : "";
  const fresh = newest.filter((row) => !known.has(row.id) && row.id > (floor ?? ""));
  if (fresh.length === 0) return pages;
  const items = [...fresh, ...first.items].sort((a, b) => (a.id < b.id ? 1 : -1));
  return { ...pages, pages: [{ ...first, items }, ...rest] };
}

const RECENT_MS = 900_000;

/** The newest ones of the last quarter of an hour, for how things go right now. */
export const recentRequestsQuery = (limit: number) =>
  queryOptions({
    queryKey: ["requests", "recent", limit],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/requests", { params: { query: { from: new Date(Date.now() - RECENT_MS).toISOString(), limit } }, signal })),
    refetchInterval: 10_000,
  });

/** A few of the newest, for a glance. */
export const latestRequestsQuery = (query: { keyId?: number | undefined; limit: number }) =>
  queryOptions({
    queryKey: ["requests", "latest", query],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/requests", { params: { query }, signal })),
    refetchInterval: 15_000,
  });
