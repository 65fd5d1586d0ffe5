import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { BookOpenIcon } from "lucide-react";

import { definePage } from "@/app/page";
import { rootRoute } from "@/app/root";
import { PLATFORMS, type Platform } from "@/lib/setup";

export interface GuideSearch {
  os?: Platform;
}

/** Open to everybody: whoever got a key needs it before they can log in. */
const route = createRoute({
  getParentRoute: () => rootRoute,
  path: "/usage-doc",
  validateSearch: (search: Record<string, unknown>): GuideSearch => {
    const os = PLATFORMS.find((each) => each === search.os);
    return os ? { os } : {};
  },
  component: lazyRouteComponent(() => import("./page"), "GuidePage"),
});

export const guide = definePage({
  route,
  title: { en: "Set-up guide", zh: "接入指南" },
  icon: BookOpenIcon,
  group: "mine",
  letter: "d",
  roles: ["admin", "user", "read-only"],
  words: "docs claude codex gemini sdk curl environment install",
});
