import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { RouteIcon } from "lucide-react";

import { PROTOCOLS } from "@/api/routing";
import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

export interface RoutingSearch {
  tab?: "groups";
  protocol?: (typeof PROTOCOLS)[number];
  model?: string;
  /** The key the request is sent with. */
  key?: number;
  session?: string;
  agent?: string;
  stream?: boolean;
  /** The group whose form is open. */
  group?: number;
  /** The form for a new group is open, with this name. */
  create?: boolean | string;
}

function read(search: Record<string, unknown>): RoutingSearch {
  const found: RoutingSearch = {};
  const protocol = PROTOCOLS.find((each) => each === search.protocol);
  if (protocol) found.protocol = protocol;
  for (const name of ["model", "session", "agent"] as const) {
    const value = search[name];
    if ((typeof value === "string" || typeof value === "number") && String(value) !== "") found[name] = String(value);
  }
  for (const name of ["key", "group"] as const) {
    const value = search[name];
    if (typeof value === "number" && Number.isInteger(value)) found[name] = value;
  }
  if (search.stream === true) found.stream = true;
  if (search.create === true || typeof search.create === "string") found.create = search.create;
  if (search.tab === "groups") found.tab = "groups";
  return found;
}

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/routing",
  validateSearch: read,
  beforeLoad: onlyFor("admin"),
  component: lazyRouteComponent(() => import("./page"), "RoutingPage"),
});

export const routing = definePage({
  route,
  title: { en: "Routing", zh: "路由" },
  icon: RouteIcon,
  group: "configuration",
  letter: "t",
  roles: ["admin"],
  words: "explain dispatch simulator odds tiers provider groups multiplier",
});
