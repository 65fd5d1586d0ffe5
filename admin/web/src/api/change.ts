// A change, after which what depends on it is read anew.
import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";

export function useChange<V, T>(run: (variables: V) => Promise<T>, ...stale: readonly QueryKey[]) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    // Not waited for: what comes anew may take away whoever waits for the answer, such as the row of what was deleted.
    onSettled: () => {
      for (const queryKey of stale) void queries.invalidateQueries({ queryKey });
    },
  });
}
