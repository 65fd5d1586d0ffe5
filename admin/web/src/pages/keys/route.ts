import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { KeyRoundIcon } from "lucide-react";

import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

export interface KeysSearch {
  /** The key whose form is open. */
  key?: number;
  /** The form for a new one is open. */
  create?: boolean;
}

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/keys",
  validateSearch: ({ key, create }: Record<string, unknown>): KeysSearch => ({
    ...(typeof key === "number" && { key }),
    ...(create === true && { create }),
  }),
  beforeLoad: onlyFor("user"),
  component: lazyRouteComponent(() => import("./page"), "KeysPage"),
});

export const keys = definePage({
  route,
  title: { en: "My keys", zh: "我的密钥" },
  icon: KeyRoundIcon,
  group: "mine",
  letter: "k",
  roles: ["user"],
  words: "token secret",
});
