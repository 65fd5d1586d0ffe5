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

/** A change of one entry of a list: at once on the screen, taken back when the gateway refuses. */
export function useListChange<T extends { id: number }, V extends { id: number }>(queryKey: QueryKey, run: (variables: V) => Promise<unknown>, change: (variables: V) => Partial<T>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    onMutate: async (variables) => {
      await queries.cancelQueries({ queryKey, exact: true });
      const before = queries.getQueryData<T[]>(queryKey);
      queries.setQueryData<T[]>(queryKey, (all) => all?.map((each) => (each.id === variables.id ? { ...each, ...change(variables) } : each)));
      return { before };
    },
    onError: (_error, _variables, context) => queries.setQueryData(queryKey, context?.before),
    onSettled: () => queries.invalidateQueries({ queryKey }),
  });
}
