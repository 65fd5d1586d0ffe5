// The choice between conversations and logins.
import { getRouteApi } from "@tanstack/react-router";

import { Segmented } from "@/components/ui/tabs";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

const route = getRouteApi("/app/sessions");

export function SessionTabs() {
  const t = useMessages(messages);
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Segmented
      label={t.tabs}
      value={tab ?? "clients"}
      onChange={(value) => void navigate({ search: value === "logins" ? { tab: value } : {} })}
      options={[
        { value: "clients", label: t.clients },
        { value: "logins", label: t.logins },
      ]}
    />
  );
}
