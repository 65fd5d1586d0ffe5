// The settings that may change while the gateway runs.
import { queryOptions } from "@tanstack/react-query";

import { useChange } from "./change";
import { type Schemas, api, unwrap, versioned } from "./client";

export type Settings = Schemas["Settings"];
export type SettingsPatch = Schemas["SettingsPatch"];

const KEY = ["settings"] as const;

export const settingsQuery = queryOptions({ queryKey: KEY, queryFn: () => versioned(api.GET("/api/v1/settings")) });

export const useUpdateSettings = () =>
  useChange(
    ({ patch, etag }: { patch: SettingsPatch; etag: string }) =>
      unwrap(api.PATCH("/api/v1/settings", { params: { header: { "If-Match": etag } }, body: patch })),
    KEY,
  );
