import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { MessagesSquareIcon } from "lucide-react";

import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

/** How far back, in minutes. */
export const SPANS = { "30m": 30, "6h": 360, "24h": 1440, "7d": 10_080 } as const;
export type Span = keyof typeof SPANS;

export interface SessionsSearch {
  /** Those who are logged in to the dashboard, in place of conversations. */
  tab?: "logins";
  q?: string;
  span?: Span;
  /** Only those with a request under way. */
  live?: boolean;
}

function read({ tab, q, span, live }: Record<string, unknown>): SessionsSearch {
  const known = (Object.keys(SPANS) as Span[]).find((each) => each === span);
  return {
    ...(tab === "logins" && { tab }),
    ...(q !== undefined && q !== "" && { q: String(q) }),
    ...(known && { span: known }),
    ...(live === true && { live }),
  };
}

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/sessions",
  validateSearch: read,
  beforeLoad: onlyFor("admin", "user"),
  component: lazyRouteComponent(() => import("./page"), "SessionsPage"),
});

export const sessions = definePage({
  route,
  title: { en: "Sessions", zh: "会话" },
  icon: MessagesSquareIcon,
  group: "traffic",
  letter: "n",
  roles: ["admin", "user"],
  words: "conversations live active end logins",
});
