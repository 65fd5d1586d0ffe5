import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { TrophyIcon } from "lucide-react";

import { DIMENSIONS, type UsageDimension } from "@/api/usage";
import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";
import { MEASURES, type Measure } from "@/lib/measure";
import { isDay } from "@/lib/zone";

export const PERIODS = ["day", "week", "month", "custom"] as const;
export type Period = (typeof PERIODS)[number];

export interface LeaderboardSearch {
  period?: Period;
  from?: string;
  to?: string;
  by?: UsageDimension;
  sort?: Measure;
  /** The member whose details are open: its id, or its name where it has none. */
  open?: string | number;
}

function read(search: Record<string, unknown>): LeaderboardSearch {
  const { from, to, open } = search;
  const period = PERIODS.find((each) => each === search.period);
  const by = DIMENSIONS.find((each) => each === search.by);
  const sort = MEASURES.find((each) => each === search.sort);
  const isSpan = period === "custom" && isDay(from) && isDay(to) && from <= to;
  return {
    ...(period && (period !== "custom" || isSpan) && { period }),
    ...(isSpan && { from, to }),
    ...(by && { by }),
    ...(sort && { sort }),
    ...((typeof open === "string" || typeof open === "number") && { open }),
  };
}

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/leaderboard",
  validateSearch: read,
  beforeLoad: onlyFor("admin"),
  component: lazyRouteComponent(() => import("./page"), "LeaderboardPage"),
});

export const leaderboard = definePage({
  route,
  title: { en: "Leaderboard", zh: "排行榜" },
  icon: TrophyIcon,
  group: "traffic",
  letter: "b",
  roles: ["admin"],
  words: "ranking top users keys models clients",
});
