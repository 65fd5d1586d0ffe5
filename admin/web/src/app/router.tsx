// The router: login, the start, and every page of src/pages/index.ts.
import { createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";

import { guarded, open } from "@/pages";

import { Failure } from "./failure";
import { NotFound } from "./not-found";
import { appRoute, rootRoute } from "./root";
import { PageSkeleton } from "./page-skeleton";

interface LoginSearch {
  /** Where to go afterwards: a path of ours. */
  next?: string;
}

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: ({ next }: Record<string, unknown>): LoginSearch =>
    typeof next === "string" && /^\/(?![/\\])/.test(next) ? { next } : {},
  component: lazyRouteComponent(() => import("@/pages/login/page"), "LoginPage"),
});

/** The start is the first page one may see. */
const startRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/",
  beforeLoad: ({ context }) => {
    const first = guarded.find((page) => page.roles.includes(context.session.role));
    if (first) throw redirect({ to: first.route.fullPath, replace: true });
  },
  component: NotFound,
});

type Routes<P> = { -readonly [K in keyof P]: P[K] extends { route: infer R } ? R : never };
const guardedRoutes = guarded.map((page) => page.route) as unknown as Routes<typeof guarded>;
const openRoutes = open.map((page) => page.route) as unknown as Routes<typeof open>;

export const router = createRouter({
  routeTree: rootRoute.addChildren([loginRoute, ...openRoutes, appRoute.addChildren([startRoute, ...guardedRoutes])]),
  defaultPreload: "intent",
  defaultErrorComponent: Failure,
  defaultNotFoundComponent: NotFound,
  defaultPendingComponent: PageSkeleton,
  defaultPendingMs: 150,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
