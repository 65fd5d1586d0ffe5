// Notifications: where messages go, what is told, what was sent.
import { getRouteApi } from "@tanstack/react-router";
import { PlusIcon } from "lucide-react";

import { useShortcuts } from "@/app/shortcuts";
import { FullPage } from "@/components/full-page";
import { PageHeader } from "@/components/page-header";
import { Button } from "@/components/ui/button";
import { Segmented } from "@/components/ui/tabs";
import { useMessages } from "@/lib/i18n";

import { Deliveries } from "./deliveries";
import { messages } from "./messages";
import { TABS, type Tab } from "./route";
import { Rules } from "./rules";
import { Targets } from "./targets";

const route = getRouteApi("/app/notifications");

export function NotificationsPage() {
  const t = useMessages(messages);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const tab = search.tab ?? "targets";
  const add = () => void navigate({ search: ({ tab }) => ({ ...(tab && { tab }), create: true }) });
  useShortcuts(tab === "deliveries" ? [] : [{ keys: "n", text: tab === "rules" ? t.rule.add : t.target.add, run: add }]);
  const header = (
    <PageHeader title={t.title} text={t.text}>
      <Segmented<Tab>
        label={t.tabs}
        value={tab}
        onChange={(value) => void navigate({ search: value === "targets" ? {} : { tab: value } })}
        options={TABS.map((value) => ({ value, label: t.tab[value] }))}
      />
      {tab !== "deliveries" && (
        <Button look="primary" onClick={add}>
          <PlusIcon /> {tab === "rules" ? t.rule.add : t.target.add}
        </Button>
      )}
    </PageHeader>
  );
  if (tab === "deliveries") {
    return (
      <FullPage>
        {header}
        <Deliveries />
      </FullPage>
    );
  }
  return (
    <>
      {header}
      {tab === "rules" ? <Rules onAdd={add} /> : <Targets onAdd={add} />}
    </>
  );
}
