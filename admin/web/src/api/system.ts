// The program as it runs on this node, what it logs, and the history it keeps.
import { queryOptions, useMutation } from "@tanstack/react-query";

import { useChange } from "./change";
import { type Schemas, api, unwrap } from "./client";

export type System = Schemas["System"];
export type PruneAsk = Schemas["PruneAsk"];
export type PruneResult = Schemas["PruneResult"];

export type Backup = Schemas["Backup"];
export type RestoreAsk = Schemas["RestoreAsk"];
export type RestoreReport = Schemas["RestoreReport"];

export const PRUNABLE = ["requests", "details", "usage-lines"] as const satisfies readonly PruneAsk["what"][];

export const systemQuery = queryOptions({
  queryKey: ["system"],
  queryFn: () => unwrap(api.GET("/api/v1/system")),
  refetchInterval: 5000,
});

export const logLevelQuery = queryOptions({
  queryKey: ["log-level"],
  queryFn: () => unwrap(api.GET("/api/v1/system/log-level")),
});

export const useSetLogLevel = () => useChange((filter: string) => unwrap(api.PUT("/api/v1/system/log-level", { body: { filter } })), ["log-level"]);

/** Goes on until all is done; `onProgress` hears how many rows were deleted, or counted, up to now. */
export const usePrune = (onProgress: (rows: number) => void) =>
  useMutation({
    mutationFn: async (ask: PruneAsk): Promise<PruneResult> => {
      let rows = 0;
      for (;;) {
        const step = await unwrap(api.POST("/api/v1/system/prune", { body: ask }));
        rows += step.rows;
        onProgress(rows);
        if (step.done || step.dryRun || step.rows === 0) return { ...step, rows };
      }
    },
  });

export const useBackup = () => useMutation({ mutationFn: (passphrase: string) => unwrap(api.POST("/api/v1/system/backup", { body: { passphrase } })) });

/** A restore can touch everything that is configured, so all of it is read anew. */
export const useRestore = () => useChange((ask: RestoreAsk) => unwrap(api.POST("/api/v1/system/restore", { body: ask })), []);
