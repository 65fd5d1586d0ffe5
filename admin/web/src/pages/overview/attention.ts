// What needs somebody: collected from what the API tells, the worst first.
import { type LimitLine, limitLines, type LimitUsage } from "@/api/limits";
import type { UnpricedModel } from "@/api/prices";
import type { Breaker, Provider } from "@/api/providers";
import type { Key, User } from "@/api/users";
import { NEARLY } from "@/components/meter";

export interface Owner {
  kind: "user" | "key";
  id: number;
  name: string;
}

export type Matter =
  | { kind: "part"; isBad: true; name: string; detail: string }
  | { kind: "breaker"; isBad: boolean; breaker: Breaker; provider: string }
  | { kind: "unpriced"; isBad: false; models: UnpricedModel[] }
  | { kind: "limit"; isBad: boolean; owner: Owner; line: LimitLine }
  | { kind: "expiry"; isBad: boolean; owner: Owner; at: string };

/** An end that comes or came within this is told. */
const SOON_MS = 7 * 86_400_000;

interface Known {
  parts: readonly { name: string; ok: boolean; detail: string }[];
  breakers: readonly Breaker[];
  providers: readonly Provider[];
  unpriced: readonly UnpricedModel[];
  limits: readonly { owner: Owner; usage: LimitUsage }[];
  users: readonly User[];
  keys: readonly Key[];
  now: number;
}

export function mattersOf({ parts, breakers, providers, unpriced, limits, users, keys, now }: Known): Matter[] {
  const nameOf = new Map(providers.map(({ id, name }) => [id, name]));
  const userOf = new Map(users.map((user) => [user.id, user]));
  const matters: Matter[] = [];
  for (const { name, ok, detail } of parts) if (!ok) matters.push({ kind: "part", isBad: true, name, detail });
  for (const breaker of breakers) {
    if (breaker.state === "closed") continue;
    const isBad = breaker.state === "open" && breaker.scope === "provider";
    matters.push({ kind: "breaker", isBad, breaker, provider: nameOf.get(breaker.providerId) ?? `#${breaker.providerId}` });
  }
  for (const { owner, usage } of limits) {
    // Sessions and requests under way come and go; what matters here is money, which stays spent.
    const worst = limitLines(usage).filter(({ isMoney }) => isMoney).toSorted((a, b) => b.share - a.share)[0];
    if (worst && worst.share >= NEARLY) matters.push({ kind: "limit", isBad: worst.share >= 1, owner, line: worst });
  }
  if (unpriced.length > 0) matters.push({ kind: "unpriced", isBad: false, models: [...unpriced] });
  const expiring = (owner: Owner, at: string | null | undefined) => {
    if (at && Math.abs(Date.parse(at) - now) < SOON_MS) matters.push({ kind: "expiry", isBad: Date.parse(at) <= now, owner, at });
  };
  for (const user of users) if (user.isEnabled) expiring({ kind: "user", id: user.id, name: user.name }, user.expiresAt);
  for (const key of keys) if (key.isEnabled && userOf.get(key.userId)?.isEnabled !== false) expiring(ownerOf(key, userOf), key.expiresAt);
  return matters.toSorted((a, b) => Number(b.isBad) - Number(a.isBad));
}

/** A key is called by its user's name and its own. */
export function ownerOf(key: Key, users: ReadonlyMap<number, User>): Owner {
  const user = users.get(key.userId);
  return { kind: "key", id: key.id, name: user ? `${user.name} / ${key.name}` : key.name };
}

/** Whether any limit in money is set. */
export function hasMoneyLimit(one: Pick<User, "limit5hUsd" | "limitDailyUsd" | "limitWeeklyUsd" | "limitMonthlyUsd" | "limitTotalUsd">): boolean {
  return [one.limit5hUsd, one.limitDailyUsd, one.limitWeeklyUsd, one.limitMonthlyUsd, one.limitTotalUsd].some((limit) => limit !== null && limit !== undefined);
}
