// Today beside yesterday, and the last minutes, worked out of what the API tells.
import type { RequestRow } from "@/api/requests";
import type { UsageSeries } from "@/api/usage";
import { type Measure, type Usage, errorShare, measured, percentile, running, sum } from "@/lib/measure";
import { dayOf, shifted } from "@/lib/zone";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export interface Pulse {
  today: Usage[];
  yesterday: Usage[];
  /** How much of the hour under way is over. */
  fraction: number;
}

/** Sorts hours into those of today up to now, and all of yesterday. */
export function pulseOf({ items, timeZone }: UsageSeries, now: number): Pulse {
  const today = dayOf(now, timeZone);
  const before = shifted(today, -1);
  const of = (day: string) => items.filter(({ start }) => dayOf(Date.parse(start), timeZone) === day && Date.parse(start) <= now).map(({ usage }) => usage);
  return { today: of(today), yesterday: of(before), fraction: (now % HOUR_MS) / HOUR_MS };
}

export interface Compared {
  now: number;
  /** Yesterday up to the same time. */
  before: number;
  /** All of yesterday. */
  whole: number;
  today: number[];
  yesterday: number[];
}

/** Yesterday's hour that is under way today counts in part, or a morning would always look poor. */
export function compared({ today, yesterday, fraction }: Pulse, measure: Measure): Compared {
  const now = today.map((usage) => measured(usage, measure));
  const before = yesterday.map((usage) => measured(usage, measure));
  const full = Math.max(0, now.length - 1);
  return {
    now: sum(now),
    before: sum(before.slice(0, full)) + (before[full] ?? 0) * fraction,
    whole: sum(before),
    today: running(now),
    yesterday: running(before),
  };
}

export function errorsOf(hours: readonly Usage[]): { share: number | null; failures: number; byHour: number[] } {
  const failures = sum(hours.map((usage) => usage.failures));
  const requests = sum(hours.map((usage) => usage.requests));
  return { share: errorShare({ failures, requests }), failures, byHour: hours.map((usage) => errorShare(usage) ?? 0) };
}

export interface Minutes {
  /** Requests a minute, over the last five or over as much as the rows reach back. */
  rpm: number;
  byMinute: number[];
  /** Tokens of all kinds a minute, of the same. */
  tpm: number;
  sessions: number;
  ttft50: number | null;
  ttft95: number | null;
  overhead50: number | null;
  errors: number | null;
  rows: number;
}

const tokensOf = ({ usage }: RequestRow) => usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens + usage.outputTokens;

/** A status of 499 is the client that left: nobody's error. */
const isFailure = ({ status }: RequestRow) => status >= 400 && status !== 499;

/** `rows` are the newest ones; when there are `most` of them, older ones are missing. `live` are the sessions of requests under way. */
export function minutesOf(rows: readonly RequestRow[], most: number, now: number, live: Iterable<string> = []): Minutes {
  const at = (row: RequestRow) => Date.parse(row.createdAt);
  const oldest = rows.length >= most ? Math.min(...rows.map(at)) : 0;
  const reach = Math.min(5 * MINUTE_MS, Math.max(now - oldest, 1000));
  const recent = rows.filter((row) => at(row) > now - reach);
  const byMinute = new Array<number>(15).fill(0);
  for (const row of rows) {
    const place = 14 - Math.floor((now - at(row)) / MINUTE_MS);
    if (place >= 0 && place < 15) byMinute[place] = (byMinute[place] ?? 0) + 1;
  }
  const ttft = rows.flatMap(({ ttftMs }) => (ttftMs === null || ttftMs === undefined ? [] : [ttftMs]));
  return {
    rpm: recent.length / (reach / MINUTE_MS),
    byMinute,
    tpm: sum(recent.map(tokensOf)) / (reach / MINUTE_MS),
    sessions: new Set([...live, ...recent.flatMap(({ sessionId }) => (sessionId ? [sessionId] : []))]).size,
    ttft50: percentile(ttft, 0.5),
    ttft95: percentile(ttft, 0.95),
    overhead50: percentile(rows.map(({ overheadMs }) => overheadMs), 0.5),
    errors: rows.length > 0 ? rows.filter(isFailure).length / rows.length : null,
    rows: rows.length,
  };
}

