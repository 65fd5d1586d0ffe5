// The routes every page hangs below: one for everybody, one for those who are logged in.
import { Outlet, createRootRoute, createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";

import { queries } from "@/api/queries";
import { type Role, type Session, sessionQuery } from "@/api/session";

import { Failure } from "./failure";
import { NotFound } from "./not-found";

export const rootRoute = createRootRoute({
  component: Outlet,
  errorComponent: Failure,
  notFoundComponent: NotFound,
});

/** Whoever is not logged in is sent to log in, and back afterwards. */
export const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "app",
  beforeLoad: async ({ location }): Promise<{ session: Session }> => {
    const session = await queries.ensureQueryData(sessionQuery);
    if (!session) throw redirect({ to: "/login", search: { next: location.href }, replace: true });
    return { session };
  },
  component: lazyRouteComponent(() => import("./shell"), "Shell"),
});

/** A page's `beforeLoad`: sends whoever may not see it to where they belong. */
export function onlyFor(...roles: Role[]) {
  return ({ context }: { context: { session: Session } }): void => {
    if (!roles.includes(context.session.role)) throw redirect({ to: "/", replace: true });
  };
}
