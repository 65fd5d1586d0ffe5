// A provider as its form holds it, flat, by the API's paths; and back to what the API takes.
import type { Provider, ProviderPatch, ProviderType } from "@/api/providers";
import type { Schemas } from "@/api/client";
import { nested } from "@/lib/form";

export type MatchKind = Schemas["MatchKind"];
export const MATCH_KINDS = ["exact", "prefix", "suffix", "contains", "regex"] as const satisfies readonly MatchKind[];

export interface RuleRow {
  match: MatchKind;
  pattern: string;
}

export interface RedirectRow {
  match: MatchKind;
  source: string;
  target: string;
}

export interface PairRow {
  name: string;
  value: string;
}

const NUMBERS = [
  "weight", "priority", "maxAttempts", "hedgeAfterMs", "rpm", "limitConcurrentSessions", "limitConcurrentRequests",
  "timeouts.connectMs", "timeouts.firstByteMs", "timeouts.firstContentMs", "timeouts.idleMs", "timeouts.totalMs",
  "breaker.failureThreshold", "breaker.failurePercent", "breaker.openSeconds", "breaker.halfOpenSuccesses",
  "healthCheck.intervalSeconds",
] as const;
const DECIMALS = ["costMultiplier", "limit5hUsd", "limitDailyUsd", "limitWeeklyUsd", "limitMonthlyUsd", "limitTotalUsd"] as const;
const TEXTS = ["name", "url", "note", "limit5hResetMode", "dailyResetMode", "dailyResetTime", "healthCheck.kind", "healthCheck.path"] as const;
const LISTS = ["endpoints", "groupTags", "allowedClients", "blockedClients"] as const;
const SWITCHES = ["isEnabled", "proxyFallbackToDirect", "preserveClientIp"] as const;

export type NumberName = (typeof NUMBERS)[number];
export type DecimalName = (typeof DECIMALS)[number];
export type TextName = (typeof TEXTS)[number];
export type ListName = (typeof LISTS)[number];
export type SwitchName = (typeof SWITCHES)[number];

export type Values = Record<NumberName | DecimalName | TextName, string> &
  Record<ListName, readonly string[]> &
  Record<SwitchName, boolean> & {
    type: ProviderType;
    /** Secrets: empty leaves what is stored. */
    apiKey: string;
    proxyUrl: string;
    removesProxy: boolean;
    "activeTime.start": string;
    "activeTime.end": string;
    allowedModels: readonly RuleRow[];
    modelRedirects: readonly RedirectRow[];
    groupPriorities: readonly PairRow[];
    customHeaders: readonly PairRow[];
  };

function filled<K extends string, T>(keys: readonly K[], value: (key: K) => T): Record<K, T> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, T>;
}

/** A new provider: what stays empty gets the gateway's default. */
export const BLANK: Values = {
  ...filled([...NUMBERS, ...DECIMALS, ...TEXTS], () => ""),
  ...filled(LISTS, () => []),
  ...filled(SWITCHES, () => false),
  limit5hResetMode: "rolling",
  dailyResetMode: "fixed",
  "healthCheck.kind": "off",
  isEnabled: true,
  type: "claude",
  apiKey: "",
  proxyUrl: "",
  removesProxy: false,
  "activeTime.start": "",
  "activeTime.end": "",
  allowedModels: [],
  modelRedirects: [],
  groupPriorities: [],
  customHeaders: [],
};

/** The value at `timeouts.connectMs`. */
function at(provider: Provider, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], provider);
}

const text = (value: unknown): string => (value === null || value === undefined ? "" : String(value));

export function toValues(provider: Provider): Values {
  return {
    ...BLANK,
    ...filled([...NUMBERS, ...DECIMALS, ...TEXTS], (key) => text(at(provider, key))),
    ...filled(LISTS, (key) => provider[key]),
    ...filled(SWITCHES, (key) => provider[key]),
    type: provider.type,
    "activeTime.start": provider.activeTime?.start ?? "",
    "activeTime.end": provider.activeTime?.end ?? "",
    allowedModels: provider.allowedModels.map((rule) =>
      typeof rule === "string" ? { match: "exact", pattern: rule } : { match: rule.match ?? "exact", pattern: rule.pattern },
    ),
    modelRedirects: provider.modelRedirects.map((each) => ({ match: each.match ?? "exact", source: each.source, target: each.target })),
    groupPriorities: pairs(provider.groupPriorities),
    customHeaders: pairs(provider.customHeaders),
  };
}

function pairs(map: Readonly<Record<string, string | number>>): PairRow[] {
  return Object.entries(map).map(([name, value]) => ({ name, value: String(value) }));
}

/** What is sent: the fields that changed. A number that is none goes as it was typed, so that the gateway says what is wrong with it. */
export function toPatch(values: Values, changed: readonly (keyof Values)[]): ProviderPatch {
  const flat: Record<string, unknown> = {};
  for (const key of changed) {
    if (key === "activeTime.start" || key === "activeTime.end") flat.activeTime = activeTime(values);
    else if (key === "removesProxy") {
      if (values.removesProxy) flat.proxyUrl = null;
    } else if (key !== "proxyUrl" || !values.removesProxy) flat[key] = toField(values, key);
  }
  return nested(flat) as ProviderPatch;
}

function toField(values: Values, key: keyof Values): unknown {
  const value = values[key];
  const is = <K extends string>(keys: readonly K[]) => (keys as readonly string[]).includes(key);
  if (key === "allowedModels") return values.allowedModels.map((rule) => (rule.match === "exact" ? rule.pattern : rule));
  if (key === "groupPriorities") return Object.fromEntries(values.groupPriorities.map((pair) => [pair.name, number(pair.value)]));
  if (key === "customHeaders") return Object.fromEntries(values.customHeaders.map((pair) => [pair.name, pair.value]));
  if (is(LISTS)) return (value as readonly string[]).map((line) => line.trim()).filter(Boolean);
  if (is(NUMBERS)) return number(value as string);
  if (is(DECIMALS)) return (value as string).trim() || null;
  if (key === "dailyResetTime" || key === "healthCheck.path") return (value as string).trim() || null;
  return typeof value === "string" && key !== "note" ? value.trim() : value;
}

function number(typed: string): number | string | null {
  if (typed.trim() === "") return null;
  const value = Number(typed);
  return Number.isNaN(value) ? typed : value;
}

function activeTime(values: Values): { start: string; end: string } | null {
  const [start, end] = [values["activeTime.start"], values["activeTime.end"]];
  return start || end ? { start, end } : null;
}
