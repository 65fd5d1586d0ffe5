// What is told about usage: money, requests, tokens, and the shares made of them.
import type { Schemas } from "@/api/client";

export type Usage = Schemas["Usage"];

export const MEASURES = ["cost", "requests", "tokens"] as const;
export type Measure = (typeof MEASURES)[number];

/** What can be measured of usage. */
export type Measured = Pick<Usage, "costUsd" | "requests" | "totalTokens">;

export function measured(usage: Measured, measure: Measure): number {
  if (measure === "cost") return Number(usage.costUsd);
  return measure === "requests" ? usage.requests : usage.totalTokens;
}

/** The share of requests that were answered with an error; null where there were none. */
export function errorShare(usage: Pick<Usage, "requests" | "failures">): number | null {
  return usage.requests > 0 ? usage.failures / usage.requests : null;
}

/** The share of prompt tokens that came from a cache; null where there were none. */
export function cacheShare(usage: Pick<Usage, "inputTokens" | "cacheReadTokens" | "cacheWrite5mTokens" | "cacheWrite1hTokens">): number | null {
  const prompt = usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  return prompt > 0 ? usage.cacheReadTokens / prompt : null;
}

/** How much more than before, as a share of before; null where there is nothing to compare with. */
export function change(now: number, before: number): number | null {
  return before > 0 ? now / before - 1 : null;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Each value with all before it. */
export function running(values: readonly number[]): number[] {
  let total = 0;
  return values.map((value) => (total += value));
}

/** The value below which the share `at` of all lies; null of nothing. */
export function percentile(values: readonly number[], at: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * at) - 1)] ?? null;
}
