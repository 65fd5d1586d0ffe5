// Who changed what, newest first.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { type Schemas, api, unwrap } from "./client";

export type AuditEntry = Schemas["AuditEntry"];
export type AuditDetail = Schemas["AuditDetail"];
export type AuditAction = Schemas["AuditAction"];

export const ACTIONS = ["create", "update", "delete", "rotate", "reset", "import", "reprice", "login", "logout", "shut-out", "backup", "restore"] as const satisfies readonly AuditAction[];

export interface AuditFilter {
  action?: AuditAction;
  resource?: string;
  resourceId?: string;
  actorUserId?: number;
  actorKeyId?: number;
  from?: string;
}

const PAGE = 100;

export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ["audit", "list", filter],
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/v1/audit", { params: { query: { ...filter, cursor: pageParam, limit: PAGE } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });

/** One with what was there before and after. It is written once. */
export const auditEntryQuery = (id: number) =>
  queryOptions({
    queryKey: ["audit", "one", id],
    queryFn: () => unwrap(api.GET("/api/v1/audit/{id}", { params: { path: { id } } })),
    staleTime: Infinity,
  });
