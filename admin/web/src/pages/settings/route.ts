import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { SettingsIcon } from "lucide-react";

import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/settings",
  beforeLoad: onlyFor("admin"),
  component: lazyRouteComponent(() => import("./page"), "SettingsPage"),
});

export const settings = definePage({
  route,
  title: { en: "Settings", zh: "设置" },
  icon: SettingsIcon,
  group: "operation",
  letter: "s",
  roles: ["admin"],
  words: "time zone egress hedge sticky failover ping probe gate stream",
});
