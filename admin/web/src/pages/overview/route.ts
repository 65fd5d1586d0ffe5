import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { LayoutDashboardIcon } from "lucide-react";

import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

import { readSearch } from "./search";

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/overview",
  validateSearch: readSearch,
  beforeLoad: onlyFor("admin"),
  component: lazyRouteComponent(() => import("./page"), "OverviewPage"),
});

export const overview = definePage({
  route,
  title: { en: "Overview", zh: "概览" },
  icon: LayoutDashboardIcon,
  group: "traffic",
  letter: "o",
  roles: ["admin"],
  words: "home dashboard spend cost chart",
});
