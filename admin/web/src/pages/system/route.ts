import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { ActivityIcon } from "lucide-react";

import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/system",
  beforeLoad: onlyFor("admin"),
  component: lazyRouteComponent(() => import("./page"), "SystemPage"),
});

export const system = definePage({
  route,
  title: { en: "System", zh: "系统" },
  icon: ActivityIcon,
  group: "operation",
  letter: "y",
  roles: ["admin"],
  words: "health version breakers database journal revision api swagger scalar openapi",
});
