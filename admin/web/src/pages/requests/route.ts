import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { ScrollTextIcon } from "lucide-react";

import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

import { readSearch } from "./search";

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/requests",
  validateSearch: readSearch,
  beforeLoad: onlyFor("admin", "user"),
  component: lazyRouteComponent(() => import("./page"), "RequestsPage"),
});

export const requests = definePage({
  route,
  title: { en: "Requests", zh: "请求日志" },
  icon: ScrollTextIcon,
  group: "traffic",
  letter: "r",
  roles: ["admin", "user"],
  words: "log chain trace history",
});
