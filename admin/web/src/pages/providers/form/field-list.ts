// The form's fields by section, with the units and defaults of the API.
import type { DecimalName, ListName, NumberName, SwitchName, TextName } from "./values";

export type FieldSpec =
  | { kind: "number"; name: NumberName; fallback: string; unit?: string; min?: number; max?: number }
  | { kind: "decimal"; name: DecimalName; fallback: string; unit?: string }
  | { kind: "text"; name: TextName; placeholder?: string; isCode?: boolean; isWide?: boolean; isRequired?: boolean }
  | { kind: "area"; name: "note" }
  | { kind: "lines"; name: ListName; placeholder?: string; isWide?: boolean }
  | { kind: "switch"; name: SwitchName }
  | { kind: "mode"; name: "limit5hResetMode" | "dailyResetMode" }
  | { kind: "special"; name: SpecialName };

export type SpecialName =
  | "type" | "apiKey" | "activeTime" | "groupPriorities" | "allowedModels" | "modelRedirects" | "customHeaders" | "proxyUrl" | "removesProxy"
  | "healthCheck.kind";

export type SectionName = "connection" | "routing" | "models" | "limits" | "resilience" | "timeouts" | "network";

const special = (name: SpecialName): FieldSpec => ({ kind: "special", name });
const usd = (name: DecimalName): FieldSpec => ({ kind: "decimal", name, fallback: "∞", unit: "USD" });
const ms = (name: NumberName, fallback: string, max = 86_400_000): FieldSpec => ({ kind: "number", name, fallback, unit: "ms", min: 0, max });

export const SECTIONS: Readonly<Record<SectionName, readonly FieldSpec[]>> = {
  connection: [
    { kind: "text", name: "name", isRequired: true },
    special("type"),
    { kind: "text", name: "url", placeholder: "https://api.anthropic.com", isCode: true, isWide: true, isRequired: true },
    special("apiKey"),
    { kind: "lines", name: "endpoints", placeholder: "https://eu.example.com", isWide: true },
    { kind: "area", name: "note" },
    { kind: "switch", name: "isEnabled" },
  ],
  routing: [
    { kind: "number", name: "priority", fallback: "0", min: -1_000_000, max: 1_000_000 },
    { kind: "number", name: "weight", fallback: "1", min: 0, max: 100 },
    { kind: "lines", name: "groupTags", placeholder: "default" },
    special("groupPriorities"),
    { kind: "decimal", name: "costMultiplier", fallback: "1", unit: "×" },
    special("activeTime"),
  ],
  models: [
    special("allowedModels"),
    special("modelRedirects"),
    { kind: "lines", name: "allowedClients" },
    { kind: "lines", name: "blockedClients" },
  ],
  limits: [
    usd("limit5hUsd"),
    { kind: "mode", name: "limit5hResetMode" },
    usd("limitDailyUsd"),
    { kind: "mode", name: "dailyResetMode" },
    { kind: "text", name: "dailyResetTime", placeholder: "00:00" },
    usd("limitWeeklyUsd"),
    usd("limitMonthlyUsd"),
    usd("limitTotalUsd"),
    { kind: "number", name: "rpm", fallback: "∞", min: 0, max: 1_000_000 },
    { kind: "number", name: "limitConcurrentRequests", fallback: "0", min: 0, max: 1_000_000 },
    { kind: "number", name: "limitConcurrentSessions", fallback: "∞", min: 0, max: 1_000_000 },
  ],
  resilience: [
    { kind: "number", name: "maxAttempts", fallback: "1", min: 1, max: 10 },
    ms("hedgeAfterMs", "0", 600_000),
    { kind: "number", name: "breaker.failureThreshold", fallback: "5", min: 0, max: 1000 },
    { kind: "number", name: "breaker.failurePercent", fallback: "50", unit: "%", min: 0, max: 100 },
    { kind: "number", name: "breaker.openSeconds", fallback: "60", unit: "s", min: 1, max: 86_400 },
    { kind: "number", name: "breaker.halfOpenSuccesses", fallback: "2", min: 1, max: 100 },
    special("healthCheck.kind"),
    { kind: "text", name: "healthCheck.path", placeholder: "/", isCode: true },
    { kind: "number", name: "healthCheck.intervalSeconds", fallback: "30", unit: "s", min: 1, max: 86_400 },
  ],
  timeouts: [
    ms("timeouts.connectMs", "10000", 600_000),
    ms("timeouts.firstByteMs", "120000"),
    ms("timeouts.firstContentMs", "300000"),
    ms("timeouts.idleMs", "120000"),
    ms("timeouts.totalMs", "600000"),
  ],
  network: [
    special("proxyUrl"),
    special("removesProxy"),
    { kind: "switch", name: "proxyFallbackToDirect" },
    { kind: "switch", name: "preserveClientIp" },
    special("customHeaders"),
  ],
};

export const SECTION_NAMES = Object.keys(SECTIONS) as SectionName[];
