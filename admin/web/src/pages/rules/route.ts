import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { FilterIcon } from "lucide-react";

import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

export interface RulesSearch {
  q?: string;
  /** Only those for one provider. */
  provider?: number;
  /** The rule whose form is open. */
  edit?: number;
  /** The form for a new one is open; with an id, as a copy of that one. */
  create?: boolean | number;
}

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/rules",
  validateSearch: ({ q, provider, edit, create }: Record<string, unknown>): RulesSearch => ({
    ...(q !== undefined && q !== "" && { q: String(q) }),
    ...(typeof provider === "number" && { provider }),
    ...(typeof edit === "number" && { edit }),
    ...((create === true || typeof create === "number") && { create }),
  }),
  beforeLoad: onlyFor("admin"),
  component: lazyRouteComponent(() => import("./page"), "RulesPage"),
});

export const rules = definePage({
  route,
  title: { en: "Error rules", zh: "错误规则" },
  icon: FilterIcon,
  group: "configuration",
  letter: "e",
  roles: ["admin"],
  words: "failure fault override message regex",
});
