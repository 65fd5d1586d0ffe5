import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { UsersIcon } from "lucide-react";

import { definePage } from "@/app/page";
import { appRoute, onlyFor } from "@/app/root";

export const SHOWN = ["enabled", "disabled", "expiring"] as const;
export type Shown = (typeof SHOWN)[number];

export interface UsersSearch {
  q?: string;
  tag?: string;
  sort?: string;
  desc?: boolean;
  /** Only those that are on, that are off, or whose time ends soon or is over. */
  show?: Shown;
  /** The user who is looked at. */
  user?: number;
  /** The user whose form is open. */
  edit?: number;
  /** The form for a new one is open. */
  create?: boolean;
  /** The key whose form is open. */
  key?: number;
  /** The user for whom a key is made. */
  newKey?: number;
  /** The form for those who are chosen is open. */
  batch?: boolean;
}

function read(search: Record<string, unknown>): UsersSearch {
  const { q, tag, sort, desc, show, create, batch } = search;
  const shown = SHOWN.find((each) => each === show);
  const found: UsersSearch = {
    ...(q !== undefined && q !== "" && { q: String(q) }),
    ...(tag !== undefined && tag !== "" && { tag: String(tag) }),
    ...(typeof sort === "string" && { sort }),
    ...(desc === true && { desc }),
    ...(shown && { show: shown }),
    ...(create === true && { create }),
    ...(batch === true && { batch }),
  };
  for (const name of ["user", "edit", "key", "newKey"] as const) {
    const id = search[name];
    if (typeof id === "number" && Number.isInteger(id)) found[name] = id;
  }
  return found;
}

const route = createRoute({
  getParentRoute: () => appRoute,
  path: "/users",
  validateSearch: read,
  beforeLoad: onlyFor("admin"),
  component: lazyRouteComponent(() => import("./page"), "UsersPage"),
});

export const users = definePage({
  route,
  title: { en: "Users and keys", zh: "用户与密钥" },
  icon: UsersIcon,
  group: "people",
  letter: "u",
  roles: ["admin"],
  words: "people team tokens limits quota budget expiry",
});
