// The settings by section, with their units and the defaults of the API.
import type { Settings } from "@/api/settings";

type NumberName = { [K in keyof Settings]-?: Settings[K] extends number ? K : never }[keyof Settings];

export interface NumberSpec {
  name: NumberName;
  fallback: number;
  unit: "s" | "%" | "B" | "turns" | "days";
  min?: number;
  max: number;
}

export const SECTIONS = ["time", "network", "failover", "streams", "affinity", "retention"] as const;
export type SectionName = (typeof SECTIONS)[number];

export const NUMBERS: Readonly<Record<SectionName, readonly NumberSpec[]>> = {
  time: [],
  network: [],
  failover: [
    { name: "failoverSeconds", fallback: 600, unit: "s", min: 1, max: 86_400 },
    { name: "hedgeMaxPercent", fallback: 10, unit: "%", max: 100 },
    { name: "probeSeconds", fallback: 0, unit: "s", max: 86_400 },
  ],
  streams: [
    { name: "gateHoldSeconds", fallback: 45, unit: "s", max: 3600 },
    { name: "gateMaxBytes", fallback: 1_048_576, unit: "B", min: 1024, max: 67_108_864 },
    { name: "pingSeconds", fallback: 15, unit: "s", max: 3600 },
  ],
  affinity: [
    { name: "stickySeconds", fallback: 3600, unit: "s", max: 2_592_000 },
    { name: "stickyCacheSeconds", fallback: 300, unit: "s", max: 86_400 },
    { name: "stickyHorizonTurns", fallback: 10, unit: "turns", max: 1000 },
  ],
  retention: [
    { name: "requestRetentionDays", fallback: 0, unit: "days", max: 36_500 },
    { name: "detailRetentionDays", fallback: 0, unit: "days", max: 36_500 },
    { name: "usageRetentionDays", fallback: 0, unit: "days", max: 36_500 },
    { name: "auditRetentionDays", fallback: 365, unit: "days", max: 36_500 },
  ],
};

const NUMBER_NAMES = Object.values(NUMBERS).flatMap((specs) => specs.map(({ name }) => name));

export type Values = Record<NumberName | "timeZone" | "egressPolicy", string>;

export function toValues(settings: Settings): Values {
  const numbers = Object.fromEntries(NUMBER_NAMES.map((name) => [name, String(settings[name] ?? "")])) as Record<NumberName, string>;
  return { ...numbers, timeZone: settings.timeZone ?? "", egressPolicy: settings.egressPolicy };
}

/** What is sent. Empty puts a setting back to its default; what is no number goes as it was typed, so that the gateway says so. */
export function toPatch(values: Values, changed: readonly (keyof Values)[]): Record<string, unknown> {
  const field = (name: keyof Values): unknown => {
    const typed = values[name].trim();
    if (typed === "") return null;
    const isNumber = NUMBER_NAMES.some((each) => each === name) && !Number.isNaN(Number(typed));
    return isNumber ? Number(typed) : typed;
  };
  return Object.fromEntries(changed.map((name) => [name, field(name)]));
}
