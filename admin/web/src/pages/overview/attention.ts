// What needs somebody: collected from what the API tells, the worst first.
import type { HealthPart } from "@/api/health";
import type { NearLimit } from "@/api/limits";
import type { UnpricedModel } from "@/api/prices";
import type { Breaker, Provider } from "@/api/providers";
import type { Key, User } from "@/api/users";

export interface Owner {
  kind: "user" | "key";
  id: number;
  /** The user, or the user a key belongs to. */
  userId: number;
  name: string;
}

export type Matter =
  | { kind: "part"; isBad: true; name: string; detail: string }
  | { kind: "breaker"; isBad: boolean; breaker: Breaker; provider: string }
  | { kind: "unpriced"; isBad: false; models: UnpricedModel[] }
  | { kind: "backlog"; isBad: boolean; bytes: number; lines: number }
  | { kind: "limit"; isBad: boolean; limit: NearLimit }
  | { kind: "expiry"; isBad: boolean; owner: Owner; at: string };

/** What waits for a database that keeps up is written within a second; this is a good deal more. */
const MOST_JOURNAL_BYTES = 4 * 1024 * 1024;
const MOST_QUEUED_LINES = 5000;

/** An end that comes or came within this is told. */
const SOON_MS = 7 * 86_400_000;

interface Known {
  parts: readonly HealthPart[];
  breakers: readonly Breaker[];
  providers: readonly Provider[];
  unpriced: readonly UnpricedModel[];
  limits: readonly NearLimit[];
  users: readonly User[];
  keys: readonly Key[];
  now: number;
}

export function mattersOf({ parts, breakers, providers, unpriced, limits, users, keys, now }: Known): Matter[] {
  const nameOf = new Map(providers.map(({ id, name }) => [id, name]));
  const userOf = new Map(users.map((user) => [user.id, user]));
  const matters: Matter[] = [];
  for (const { name, ok, detail, figures } of parts) {
    if (!ok) matters.push({ kind: "part", isBad: true, name, detail });
    const [bytes, lines] = [figures.journalBytes ?? 0, figures.queuedLines ?? 0];
    if (bytes > MOST_JOURNAL_BYTES || lines > MOST_QUEUED_LINES) matters.push({ kind: "backlog", isBad: !ok, bytes, lines });
  }
  for (const breaker of breakers) {
    if (breaker.state === "closed") continue;
    const isBad = breaker.state === "open" && breaker.scope === "provider";
    matters.push({ kind: "breaker", isBad, breaker, provider: nameOf.get(breaker.providerId) ?? `#${breaker.providerId}` });
  }
  for (const limit of limits) matters.push({ kind: "limit", isBad: limit.share >= 1, limit });
  if (unpriced.length > 0) matters.push({ kind: "unpriced", isBad: false, models: [...unpriced] });
  const expiring = (owner: Owner, at: string | null | undefined) => {
    if (at && Math.abs(Date.parse(at) - now) < SOON_MS) matters.push({ kind: "expiry", isBad: Date.parse(at) <= now, owner, at });
  };
  for (const user of users) if (user.isEnabled) expiring({ kind: "user", id: user.id, userId: user.id, name: user.name }, user.expiresAt);
  for (const key of keys) if (key.isEnabled && userOf.get(key.userId)?.isEnabled !== false) expiring(ownerOf(key, userOf), key.expiresAt);
  return matters.toSorted((a, b) => Number(b.isBad) - Number(a.isBad));
}

/** A key is called by its user's name and its own. */
function ownerOf(key: Key, users: ReadonlyMap<number, User>): Owner {
  const user = users.get(key.userId);
  return { kind: "key", id: key.id, userId: key.userId, name: user ? `${user.name} / ${key.name}` : key.name };
}
