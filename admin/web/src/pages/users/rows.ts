// What the table of users shows: each with the keys and the last day, chosen and put in order as the address says.
import type { Key } from "@/api/keys";
import type { UsageShare } from "@/api/usage";
import type { User } from "@/api/users";

import type { UsersSearch } from "./route";

export interface UserRow {
  user: User;
  keys: readonly Key[];
  usage: UsageShare["usage"] | undefined;
}

const SOON_MS = 7 * 86_400_000;

export type Expiry = "never" | "later" | "soon" | "over";

export function expiryOf(time: string | null | undefined, now = Date.now()): Expiry {
  if (!time) return "never";
  const left = Date.parse(time) - now;
  if (left <= 0) return "over";
  return left < SOON_MS ? "soon" : "later";
}

export function toRows(users: readonly User[], keys: readonly Key[], usage: readonly UsageShare[]): UserRow[] {
  const used = new Map(usage.map((share) => [share.id, share.usage]));
  const owned = new Map<number, Key[]>();
  for (const key of keys) owned.set(key.userId, [...(owned.get(key.userId) ?? []), key]);
  return users.map((user) => ({ user, keys: owned.get(user.id) ?? [], usage: used.get(user.id) }));
}

export function choose(rows: readonly UserRow[], { q, tag, show }: UsersSearch): UserRow[] {
  const wanted = q?.toLowerCase();
  return rows.filter(({ user, keys }) => {
    const ends = [user.expiresAt, ...keys.map((key) => key.expiresAt)].map((time) => expiryOf(time));
    if (show === "enabled" && !user.isEnabled) return false;
    if (show === "disabled" && user.isEnabled) return false;
    if (show === "expiring" && !ends.some((end) => end === "soon" || end === "over")) return false;
    if (tag && !user.tags.includes(tag)) return false;
    if (!wanted) return true;
    const texts = [user.name, user.note, user.providerGroup, ...user.tags, ...keys.flatMap((key) => [key.name, key.prefix, key.lastFour])];
    return texts.some((text) => text.toLowerCase().includes(wanted));
  });
}

const ORDERS: Record<string, (row: UserRow) => number | string> = {
  name: ({ user }) => user.name.toLowerCase(),
  keys: ({ keys }) => keys.length,
  requests: ({ usage }) => usage?.requests ?? 0,
  cost: ({ usage }) => Number(usage?.costUsd ?? 0),
  expires: ({ user }) => (user.expiresAt ? Date.parse(user.expiresAt) : Infinity),
  isEnabled: ({ user }) => Number(!user.isEnabled),
};

/** In the order asked for; else by name, those who are off last. */
export function order(rows: readonly UserRow[], { sort, desc }: UsersSearch): UserRow[] {
  const byName = (a: UserRow, b: UserRow) => Number(b.user.isEnabled) - Number(a.user.isEnabled) || a.user.name.localeCompare(b.user.name) || a.user.id - b.user.id;
  const key = sort ? ORDERS[sort] : undefined;
  if (!key) return [...rows].sort(byName);
  const sign = desc ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === y) return byName(a, b);
    return x < y ? -sign : sign;
  });
}
