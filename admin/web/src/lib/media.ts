// What the screen is like.
import { useSyncExternalStore } from "react";

const narrow = matchMedia("(width < 48rem)");

function subscribe(listener: () => void): () => void {
  narrow.addEventListener("change", listener);
  return () => narrow.removeEventListener("change", listener);
}

/** Below the width at which the navigation has its own column. */
export function useIsNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => narrow.matches);
}
