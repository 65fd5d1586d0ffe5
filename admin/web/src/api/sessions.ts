// Sessions: those of clients with the gateway, and those of people with the dashboard.
import { queryOptions } from "@tanstack/react-query";

import { useChange } from "./change";
import { type Schemas, api, everyPage, unwrap } from "./client";

export type ClientSession = Schemas["LiveSession"];
export type LoginSession = Schemas["LoginSession"];

/** Those seen within so many minutes, the last first. Their number is bounded by what the gateway looks at. */
export const clientSessionsQuery = (minutes: number, liveOnly: boolean) =>
  queryOptions({
    queryKey: ["sessions", "clients", minutes, liveOnly],
    queryFn: () => everyPage((cursor) => unwrap(api.GET("/api/v1/sessions", { params: { query: { minutes, liveOnly, cursor, limit: 200 } } }))),
    refetchInterval: 4000,
    placeholderData: (before) => before,
  });

export const useEndClientSession = () =>
  useChange((id: string) => unwrap(api.POST("/api/v1/sessions/{id}/end", { params: { path: { id } } })), ["sessions", "clients"]);

export const loginSessionsQuery = queryOptions({
  queryKey: ["sessions", "logins"],
  queryFn: () => everyPage((cursor) => unwrap(api.GET("/api/v1/auth/sessions", { params: { query: { cursor, limit: 200 } } }))),
});

export const useEndLoginSession = () =>
  useChange((id: string) => unwrap(api.DELETE("/api/v1/auth/sessions/{id}", { params: { path: { id } } })), ["sessions", "logins"]);

/** Ends one's other sessions; the one in use goes on. */
export const useEndOtherLoginSessions = () => useChange(() => unwrap(api.DELETE("/api/v1/auth/sessions")), ["sessions", "logins"]);
