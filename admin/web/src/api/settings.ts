// The settings that may change while the gateway runs.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { type Schemas, api, unwrap, versioned } from "./client";
import { sessionQuery } from "./session";

export type Settings = Schemas["Settings"];
export type SettingsPatch = Schemas["SettingsPatch"];

const KEY = ["settings"] as const;

export const settingsQuery = queryOptions({ queryKey: KEY, queryFn: () => versioned(api.GET("/api/v1/settings")) });

/** The form keeps the version it began with until the change is made. Without `etag` whatever is there is changed. */
export function useUpdateSettings() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ patch, etag }: { patch: SettingsPatch; etag?: string }) =>
      unwrap(api.PATCH("/api/v1/settings", { params: { header: etag ? { "If-Match": etag } : {} }, body: patch })),
    onSuccess: () => {
      // The session tells the time zone.
      void queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
      return queries.invalidateQueries({ queryKey: KEY });
    },
  });
}
