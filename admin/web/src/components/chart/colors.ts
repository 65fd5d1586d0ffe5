// The colours of the theme as a canvas takes them, read anew when the theme changes.
import { useSyncExternalStore } from "react";

function subscribe(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  return () => observer.disconnect();
}

const isDark = () => document.documentElement.classList.contains("dark");

/** Whether the page is dark now: what draws on a canvas depends on it. */
export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, isDark);
}

/** A token's value: `chart-1`. */
export function colorOf(token: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${token}`).trim();
}

const LINES = ["chart-1", "chart-2", "chart-3", "chart-4", "chart-5", "chart-6", "chart-7"] as const;
/** For what has no place of its own. */
export const REST_COLOR = "chart-8";
/** How many get a colour of their own. */
export const MOST_SERIES = LINES.length;

/** The colour of the series at a place. */
export function seriesColor(at: number): string {
  return LINES[at] ?? REST_COLOR;
}
