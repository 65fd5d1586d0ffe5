// What the address of the request log says: the filters, and the request that is open.
import type { RequestFilter } from "@/api/requests";

export interface RequestsSearch {
  user?: number;
  key?: number;
  provider?: number;
  model?: string;
  status?: number;
  session?: string;
  endpoint?: string;
  /** A span up to now, or a fixed one. */
  span?: Span;
  from?: string;
  to?: string;
  /** The request whose drawer is open. */
  request?: string;
  /** The live tail is off. */
  paused?: boolean;
}

export const SPANS = ["1h", "24h", "7d", "30d"] as const;
export type Span = (typeof SPANS)[number];

const SPAN_MS: Record<Span, number> = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000, "30d": 2_592_000_000 };

export const FILTERS = ["user", "key", "provider", "model", "status", "session", "endpoint", "span", "from", "to"] as const;
export type FilterName = (typeof FILTERS)[number];

export function readSearch(search: Record<string, unknown>): RequestsSearch {
  const found: RequestsSearch = {};
  for (const name of ["user", "key", "provider", "status"] as const) {
    const value = Number(search[name]);
    if (Number.isInteger(value) && value > 0) found[name] = value;
  }
  for (const name of ["model", "session", "endpoint", "request"] as const) {
    const value = search[name];
    if (typeof value === "string" || typeof value === "number") if (String(value) !== "") found[name] = String(value);
  }
  for (const name of ["from", "to"] as const) {
    const value = search[name];
    if (typeof value === "string" && !Number.isNaN(Date.parse(value))) found[name] = new Date(value).toISOString();
  }
  const span = SPANS.find((each) => each === search.span);
  if (span) found.span = span;
  if (search.paused === true) found.paused = true;
  return found;
}

/** What the API is asked. `since` is the moment the page was opened: a span up to now begins the same for all of its pages. */
export function toFilter(search: RequestsSearch, since: number): RequestFilter {
  const from = search.span ? new Date(since - SPAN_MS[search.span]).toISOString() : search.from;
  return {
    ...(search.user && { userId: search.user }),
    ...(search.key && { keyId: search.key }),
    ...(search.provider && { providerId: search.provider }),
    ...(search.model && { model: search.model }),
    ...(search.status && { status: search.status }),
    ...(search.session && { sessionId: search.session }),
    ...(search.endpoint && { endpoint: search.endpoint }),
    ...(from && { from }),
    ...(search.to && !search.span && { to: search.to }),
  };
}

export function isFiltered(search: RequestsSearch): boolean {
  return FILTERS.some((name) => search[name] !== undefined);
}
