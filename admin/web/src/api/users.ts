// Users and keys.
import { queryOptions } from "@tanstack/react-query";

import { type Schemas, api, everyPage, unwrap } from "./client";

export type User = Schemas["User"];
export type Key = Schemas["Key"];

/** All of them; for admins. */
export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: () => everyPage((cursor) => unwrap(api.GET("/api/v1/users", { params: { query: { cursor, limit: 200 } } }))),
  staleTime: 30_000,
});

/** All of them; a key holder gets the own ones. */
export const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: () => everyPage((cursor) => unwrap(api.GET("/api/v1/keys", { params: { query: { cursor, limit: 200 } } }))),
  staleTime: 30_000,
});
