import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { ServerIcon } from "lucide-react";

import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

export interface ProvidersSearch {
  q?: string;
  sort?: string;
  desc?: boolean;
  /** Only those that are on, or that have an open breaker. */
  show?: "enabled" | "disabled" | "unwell";
  /** The provider whose form is open. */
  edit?: number;
  /** The form for a new one is open; with an id, as a copy of that one. */
  create?: boolean | number;
}

const SHOWN = ["enabled", "disabled", "unwell"] as const;

function read(search: Record<string, unknown>): ProvidersSearch {
  const { q, sort, desc, show, edit, create } = search;
  const shown = SHOWN.find((each) => each === show);
  return {
    ...(q !== undefined && q !== "" && { q: String(q) }),
    ...(typeof sort === "string" && { sort }),
    ...(desc === true && { desc }),
    ...(shown && { show: shown }),
    ...(typeof edit === "number" && { edit }),
    ...((create === true || typeof create === "number") && { create }),
  };
}

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/providers",
  validateSearch: read,
  beforeLoad: onlyFor("admin"),
  component: lazyRouteComponent(() => import("./page"), "ProvidersPage"),
});

export const providers = definePage({
  route,
  title: { en: "Providers", zh: "供应商" },
  icon: ServerIcon,
  group: "configuration",
  letter: "p",
  roles: ["admin"],
  words: "upstream breaker",
});
