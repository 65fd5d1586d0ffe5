import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { HistoryIcon } from "lucide-react";

import { ACTIONS, type AuditAction, type AuditFilter } from "@/api/audit";
import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

export const SPANS = ["24h", "7d", "30d"] as const;
type Span = (typeof SPANS)[number];
const SPAN_MS: Record<Span, number> = { "24h": 86_400_000, "7d": 604_800_000, "30d": 2_592_000_000 };

export interface AuditSearch {
  action?: AuditAction;
  /** The kind of thing, and which one. */
  resource?: string;
  id?: string;
  user?: number;
  key?: number;
  span?: Span;
  /** The entry whose drawer is open. */
  entry?: number;
}

function read(search: Record<string, unknown>): AuditSearch {
  const found: AuditSearch = {};
  const action = ACTIONS.find((each) => each === search.action);
  if (action) found.action = action;
  const span = SPANS.find((each) => each === search.span);
  if (span) found.span = span;
  for (const name of ["resource", "id"] as const) {
    const value = search[name];
    if ((typeof value === "string" || typeof value === "number") && String(value) !== "") found[name] = String(value);
  }
  for (const name of ["user", "key", "entry"] as const) {
    const value = search[name];
    if (typeof value === "number" && Number.isInteger(value)) found[name] = value;
  }
  return found;
}

/** What the API is asked. `since` is the moment the page was opened, so that all pages of a list begin at the same time. */
export function toFilter({ action, resource, id, user, key, span }: AuditSearch, since: number): AuditFilter {
  return {
    ...(action && { action }),
    ...(resource && { resource }),
    ...(id && { resourceId: id }),
    ...(user !== undefined && { actorUserId: user }),
    ...(key !== undefined && { actorKeyId: key }),
    ...(span && { from: new Date(since - SPAN_MS[span]).toISOString() }),
  };
}

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/audit",
  validateSearch: read,
  beforeLoad: onlyFor("admin"),
  component: lazyRouteComponent(() => import("./page"), "AuditPage"),
});

export const audit = definePage({
  route,
  title: { en: "Audit", zh: "审计" },
  icon: HistoryIcon,
  group: "operation",
  letter: "a",
  roles: ["admin"],
  words: "changes history who diff login",
});
