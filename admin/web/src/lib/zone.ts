// Days of a time zone that need not be the browser's: the gateway counts by its own.

const DAY_MS = 86_400_000;

const parts = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = parts.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
    });
    parts.set(zone, format);
  }
  return format;
}

/** What the zone's clock shows at a moment, as if it were UTC. */
function wall(time: number, zone: string): number {
  const found: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(time)) found[type] = Number(value);
  return Date.UTC(found.year ?? 0, (found.month ?? 1) - 1, found.day ?? 1, found.hour ?? 0, found.minute ?? 0, found.second ?? 0);
}

/** `2026-11-21`, the day a moment is in. */
export function dayOf(time: number, zone: string): string {
  return new Date(wall(time, zone)).toISOString().slice(0, 10);
}

/** 0 to 23. */
export function hourOf(time: number, zone: string): number {
  return new Date(wall(time, zone)).getUTCHours();
}

/** The day so many days later. */
export function shifted(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** When a day begins. The offset is asked for twice, as it may change between the guess and the answer. */
export function startOf(day: string, zone: string): number {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const guess = midnight - (wall(midnight, zone) - midnight);
  return midnight - (wall(guess, zone) - guess);
}

/** A real day written `2026-11-21`. */
export function isDay(value: unknown): value is string {
  return typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value)) && shifted(value, 0) === value;
}

/** Days from one to the other, both counted. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;
}
