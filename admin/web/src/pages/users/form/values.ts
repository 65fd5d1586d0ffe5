// Users and keys as their forms hold them, flat, by the API's names; and back to what the API takes.
import type { Key, KeyPatch } from "@/api/keys";
import type { User, UserPatch } from "@/api/users";
import { fromLocal, toLocal } from "@/components/form/expiry-field";

export const MONEY = ["limit5hUsd", "limitDailyUsd", "limitWeeklyUsd", "limitMonthlyUsd", "limitTotalUsd"] as const;
export const COUNTS = ["rpm", "limitConcurrentRequests", "limitConcurrentSessions"] as const;
export const LIMITS = [...MONEY, ...COUNTS] as const;
export type LimitName = (typeof LIMITS)[number];
const WINDOWS = ["limit5hResetMode", "dailyResetMode", "dailyResetTime"] as const;

export type LimitValues = Record<LimitName | (typeof WINDOWS)[number], string>;

export interface UserValues extends LimitValues {
  name: string;
  note: string;
  role: string;
  isEnabled: boolean;
  expiresAt: string;
  tags: readonly string[];
  providerGroup: readonly string[];
  allowedModels: readonly string[];
  allowedClients: readonly string[];
  blockedClients: readonly string[];
}

export interface KeyValues extends LimitValues {
  name: string;
  isEnabled: boolean;
  canLoginWebUi: boolean;
  expiresAt: string;
  providerGroup: readonly string[];
}

const NO_LIMITS: LimitValues = {
  limit5hUsd: "", limitDailyUsd: "", limitWeeklyUsd: "", limitMonthlyUsd: "", limitTotalUsd: "",
  rpm: "", limitConcurrentRequests: "", limitConcurrentSessions: "",
  limit5hResetMode: "rolling", dailyResetMode: "fixed", dailyResetTime: "",
};

export const NEW_USER: UserValues = {
  ...NO_LIMITS,
  name: "", note: "", role: "user", isEnabled: true, expiresAt: "",
  tags: [], providerGroup: [], allowedModels: [], allowedClients: [], blockedClients: [],
};

export const NEW_KEY: KeyValues = { ...NO_LIMITS, name: "", isEnabled: true, canLoginWebUi: false, expiresAt: "", providerGroup: [] };

export function splitGroups(groups: string): string[] {
  return groups.split(",").map((name) => name.trim()).filter(Boolean);
}

function limitsOf(source: User | Key): LimitValues {
  const text = (value: string | number | null | undefined) => (value === null || value === undefined ? "" : String(value));
  const limits = Object.fromEntries(LIMITS.map((name) => [name, text(source[name])])) as Record<LimitName, string>;
  const { limit5hResetMode, dailyResetMode, dailyResetTime } = source;
  return { ...limits, limit5hResetMode, dailyResetMode, dailyResetTime };
}

export function userValues(user: User): UserValues {
  const { name, note, role, isEnabled, tags, allowedModels, allowedClients, blockedClients } = user;
  return {
    ...limitsOf(user),
    name, note, role, isEnabled, tags, allowedModels, allowedClients, blockedClients,
    expiresAt: toLocal(user.expiresAt),
    providerGroup: splitGroups(user.providerGroup),
  };
}

export function keyValues(key: Key): KeyValues {
  const { name, isEnabled, canLoginWebUi } = key;
  return { ...limitsOf(key), name, isEnabled, canLoginWebUi, expiresAt: toLocal(key.expiresAt), providerGroup: splitGroups(key.providerGroup) };
}

/** What is sent: the fields that changed. A number that is none goes as it was typed, so that the gateway says what is wrong with it. */
function toPatch(values: Readonly<Record<string, unknown>>, changed: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(changed.map((name) => [name, toField(name, values[name])]));
}

function toField(name: string, value: unknown): unknown {
  if (name === "expiresAt") return fromLocal(value as string);
  if (name === "providerGroup") return (value as readonly string[]).join(",");
  if (typeof value !== "string") return value;
  if ((COUNTS as readonly string[]).includes(name)) {
    if (value.trim() === "") return null;
    return Number.isNaN(Number(value)) ? value : Number(value);
  }
  if ((MONEY as readonly string[]).includes(name) || name === "dailyResetTime") return value.trim() || null;
  return name === "note" ? value : value.trim();
}

export const userPatch = (values: UserValues, changed: readonly (keyof UserValues)[]): UserPatch => toPatch({ ...values }, changed);
export const keyPatch = (values: KeyValues, changed: readonly (keyof KeyValues)[]): KeyPatch => toPatch({ ...values }, changed);
