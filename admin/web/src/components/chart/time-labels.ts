// The names of hours and days on a chart, in the zone the gateway counts by.
import type { Language } from "@/lib/i18n";

const LOCALE: Record<Language, string> = { en: "en-US", zh: "zh-CN" };
type Interval = "hour" | "day";

/** On the axis. */
export function tickLabel(start: string | undefined, interval: Interval, length: number, zone: string, language: Language): string {
  if (!start) return "";
  const isClock = interval === "hour" && length <= 48;
  const options: Intl.DateTimeFormatOptions = isClock ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : { month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(LOCALE[language], { ...options, timeZone: zone }).format(new Date(start));
}

/** In the tip. */
export function pointLabel(start: string | undefined, interval: Interval, zone: string, language: Language): string {
  if (!start) return "";
  const at = new Date(start);
  const day: Intl.DateTimeFormatOptions = { weekday: "short", month: "short", day: "numeric" };
  const date = new Intl.DateTimeFormat(LOCALE[language], { ...day, timeZone: zone }).format(at);
  if (interval === "day") return date;
  const clock = new Intl.DateTimeFormat(LOCALE[language], { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
  return `${date}, ${clock.format(at)}–${clock.format(new Date(at.getTime() + 3_600_000))}`;
}
