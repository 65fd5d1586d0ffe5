// What the address of the overview says: what the chart shows.
import { DIMENSIONS, type UsageDimension } from "@/api/usage";
import { MEASURES, type Measure } from "@/lib/measure";
import { daysBetween, isDay, shifted } from "@/lib/zone";

export const SPANS = ["today", "7d", "30d", "custom"] as const;
export type SpanName = (typeof SPANS)[number];

export interface OverviewSearch {
  span?: SpanName;
  /** The days of a custom span. */
  from?: string;
  to?: string;
  by?: UsageDimension;
  measure?: Measure;
}

/** More bars than this cannot be told apart. */
const MOST_HOURLY_DAYS = 8;
/** What the API gives at most is 1000. */
const MOST_DAYS = 750;

export function readSearch(search: Record<string, unknown>): OverviewSearch {
  const span = SPANS.find((each) => each === search.span);
  const by = DIMENSIONS.find((each) => each === search.by);
  const measure = MEASURES.find((each) => each === search.measure);
  const { from, to } = search;
  const isSpan = span === "custom" && isDay(from) && isDay(to) && from <= to;
  return {
    ...(span && (span !== "custom" || isSpan) && { span }),
    ...(isSpan && { from, to }),
    ...(by && { by }),
    ...(measure && { measure }),
  };
}

export interface Days {
  from: string;
  to: string;
}

/** The first and the last day that are shown. */
export function daysOf(search: OverviewSearch, today: string): Days {
  if (search.span === "custom" && search.from && search.to) {
    const from = daysBetween(search.from, search.to) > MOST_DAYS ? shifted(search.to, 1 - MOST_DAYS) : search.from;
    return { from, to: search.to };
  }
  const length = search.span === "7d" ? 7 : search.span === "30d" ? 30 : 1;
  return { from: shifted(today, 1 - length), to: today };
}

export function intervalOf({ from, to }: Days): "hour" | "day" {
  return daysBetween(from, to) <= MOST_HOURLY_DAYS ? "hour" : "day";
}
