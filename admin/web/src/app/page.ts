// What the shell knows of a page: its route, and its place in the navigation.
import type { AnyRoute } from "@tanstack/react-router";
import type { LucideIcon } from "lucide-react";

import type { Role } from "@/api/session";
import { type Text, defineMessages } from "@/lib/i18n";

export interface Page<R extends AnyRoute = AnyRoute> {
  route: R;
  title: Text;
  icon: LucideIcon;
  /** The heading it stands below. */
  group: Group;
  /** The letter after `g`; each is taken once. */
  letter: string;
  /** Who sees it in the navigation; the route's `beforeLoad: onlyFor(...)` says who may open it. */
  roles: readonly Role[];
  /** Further words the command palette finds it by. */
  words?: string;
}

export const GROUPS = ["traffic", "people", "configuration", "operation", "mine"] as const;
export type Group = (typeof GROUPS)[number];

export const groupTitles = defineMessages({
  en: { traffic: "Traffic", people: "People", configuration: "Configuration", operation: "Operation", mine: "Mine" },
  zh: { traffic: "流量", people: "人员", configuration: "配置", operation: "运维", mine: "我的" },
});

/** Keeps the route's own type, which links are checked against. */
export function definePage<R extends AnyRoute>(page: Page<R>): Page<R> {
  return page;
}
