import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { TagIcon } from "lucide-react";

import { PRICE_SOURCES, type PriceSource } from "@/api/prices";
import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

export const TASKS = ["import", "sync", "reprice"] as const;
export type Task = (typeof TASKS)[number];

export interface PricesSearch {
  q?: string;
  source?: PriceSource;
  /** Models without a price instead of those with one. */
  view?: "unpriced";
  /** The model whose price is open. */
  model?: string;
  /** The form is open: for this model, or for a new one. */
  set?: string | true;
  /** A larger piece of work is open. */
  task?: Task;
}

function read(search: Record<string, unknown>): PricesSearch {
  const { q, view, model, set } = search;
  const source = PRICE_SOURCES.find((each) => each === search.source);
  const task = TASKS.find((each) => each === search.task);
  return {
    ...(q !== undefined && q !== "" && { q: String(q) }),
    ...(source && { source }),
    ...(view === "unpriced" && { view }),
    ...(model !== undefined && model !== "" && { model: String(model) }),
    ...(set === true ? { set } : typeof set === "string" && set !== "" && { set }),
    ...(task && { task }),
  };
}

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/prices",
  validateSearch: read,
  beforeLoad: onlyFor("admin"),
  component: lazyRouteComponent(() => import("./page"), "PricesPage"),
});

export const prices = definePage({
  route,
  title: { en: "Prices", zh: "价格" },
  icon: TagIcon,
  group: "configuration",
  letter: "c",
  roles: ["admin"],
  words: "cost model import sync litellm reprice unpriced",
});
