// Routing: what would happen to a request, and the groups of providers.
import { getRouteApi } from "@tanstack/react-router";
import { PlusIcon } from "lucide-react";

import { useShortcuts } from "@/app/shortcuts";
import { PageHeader } from "@/components/page-header";
import { Button } from "@/components/ui/button";
import { Segmented } from "@/components/ui/tabs";
import { useMessages } from "@/lib/i18n";

import { Explain } from "./explain";
import { Groups } from "./groups";
import { messages } from "./messages";

const route = getRouteApi("/app/routing");

export function RoutingPage() {
  const t = useMessages(messages);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const tab = search.tab ?? "explain";
  const add = () => void navigate({ search: (before) => ({ ...before, tab: "groups", create: true }) });
  useShortcuts(tab === "groups" ? [{ keys: "n", text: t.group.add, run: add }] : []);
  return (
    <>
      <PageHeader title={t.title} text={t.text}>
        <Segmented
          label={t.tabs}
          value={tab}
          onChange={(value) => void navigate({ search: (before) => ({ ...before, tab: value === "groups" ? value : undefined }) })}
          options={[
            { value: "explain", label: t.explain },
            { value: "groups", label: t.groups },
          ]}
        />
        {tab === "groups" && (
          <Button look="primary" onClick={add}>
            <PlusIcon /> {t.group.add}
          </Button>
        )}
      </PageHeader>
      {tab === "groups" ? <Groups /> : <Explain />}
    </>
  );
}
