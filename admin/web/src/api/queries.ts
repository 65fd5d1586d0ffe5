// How answers are kept: one client for the whole page.
import { QueryClient } from "@tanstack/react-query";

import { ProblemError } from "./problem";

/** A refusal stays a refusal however often one asks. */
function isWorthRetrying(failures: number, error: Error): boolean {
  if (error instanceof ProblemError && error.status < 500) return false;
  return failures < 2;
}

export const queries = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 10_000, retry: isWorthRetrying, refetchOnWindowFocus: true },
  },
});
