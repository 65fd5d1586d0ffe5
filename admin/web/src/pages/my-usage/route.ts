import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { GaugeIcon } from "lucide-react";

import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";
import { MEASURES, type Measure } from "@/lib/measure";

export interface MyUsageSearch {
  measure?: Measure;
  /** Of all the user's keys instead of the one that is logged in. */
  all?: boolean;
}

function read({ measure, all }: Record<string, unknown>): MyUsageSearch {
  const known = MEASURES.find((each) => each === measure);
  return { ...(known && { measure: known }), ...(all === true && { all }) };
}

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/my-usage",
  validateSearch: read,
  beforeLoad: onlyFor("admin", "user", "read-only"),
  component: lazyRouteComponent(() => import("./page"), "MyUsagePage"),
});

export const myUsage = definePage({
  route,
  title: { en: "My usage", zh: "我的用量" },
  icon: GaugeIcon,
  group: "mine",
  letter: "m",
  roles: ["user", "read-only"],
  words: "limits quota left spend",
});
