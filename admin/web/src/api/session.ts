// Who is logged in.
import { queryOptions, useQuery } from "@tanstack/react-query";

import { createStored } from "@/lib/store";

import { type Schemas, api, setCsrfToken, unwrap } from "./client";
import { queries } from "./queries";

export type Session = Schemas["SessionInfo"];
export type Role = Session["role"];

/** Whether this browser has logged in and not out: asking without a cookie would only fill the console with refusals. */
const loggedIn = createStored("session", (stored) => stored === true);

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => {
    if (!loggedIn.get()) return null;
    const { data, response } = await api.GET("/api/v1/auth/session");
    if (response.status === 401) {
      forget();
      return null;
    }
    return keep(await unwrap(Promise.resolve({ data, response })));
  },
  staleTime: Infinity,
  gcTime: Infinity,
});

function keep(session: Session): Session {
  setCsrfToken(session.csrfToken ?? null);
  loggedIn.set(true);
  return session;
}

/** Forgets the session and everything it could see. */
export function forget(): void {
  setCsrfToken(null);
  loggedIn.set(false);
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
  queries.setQueryData(sessionQuery.queryKey, null);
}

export async function logIn(key: string): Promise<void> {
  const session = await unwrap(api.POST("/api/v1/auth/login", { body: { key } }));
  queries.setQueryData(sessionQuery.queryKey, keep(session));
}

export async function logOut(): Promise<void> {
  await unwrap(api.POST("/api/v1/auth/logout"));
  forget();
}

export function useSession(): Session | null {
  return useQuery(sessionQuery).data ?? null;
}

/** The time zone the gateway counts days by. */
export function useGatewayZone(): string {
  return useSession()?.me.timeZone ?? "UTC";
}

export function useIsAdmin(): boolean {
  return useSession()?.role === "admin";
}
