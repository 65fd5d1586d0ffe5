// A change, after which what depends on it is read anew.
import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";

export function useChange<V, T>(run: (variables: V) => Promise<T>, ...stale: readonly QueryKey[]) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSettled: () => Promise.all(stale.map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
}
