import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { BellIcon } from "lucide-react";

import { type DeliveryState, EVENTS, type RuleEvent, STATES } from "@/api/notifications";
import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

export const TABS = ["targets", "rules", "deliveries"] as const;
export type Tab = (typeof TABS)[number];

export interface NotificationsSearch {
  /** What is shown; the targets where nothing is said. */
  tab?: Tab;
  /** The target or rule whose form is open. */
  edit?: number;
  /** The form for a new one is open. */
  create?: boolean;
  /** Which deliveries. */
  state?: DeliveryState;
  event?: RuleEvent | "test";
  target?: number;
}

function read({ tab, edit, create, state, event, target }: Record<string, unknown>): NotificationsSearch {
  const knownTab = TABS.find((each) => each === tab);
  const knownState = STATES.find((each) => each === state);
  const knownEvent = [...EVENTS, "test" as const].find((each) => each === event);
  return {
    ...(knownTab && knownTab !== "targets" && { tab: knownTab }),
    ...(typeof edit === "number" && { edit }),
    ...(create === true && { create }),
    ...(knownState && { state: knownState }),
    ...(knownEvent && { event: knownEvent }),
    ...(typeof target === "number" && { target }),
  };
}

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/notifications",
  validateSearch: read,
  beforeLoad: onlyFor("admin"),
  component: lazyRouteComponent(() => import("./page"), "NotificationsPage"),
});

export const notifications = definePage({
  route,
  title: { en: "Notifications", zh: "通知" },
  icon: BellIcon,
  group: "configuration",
  letter: "i",
  roles: ["admin"],
  words: "alerts messages feishu lark dingtalk wecom telegram slack webhook report",
});
