// The keys of whoever is logged in.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { PlusIcon } from "lucide-react";

import { keysQuery } from "@/api/keys";
import { useSession } from "@/api/session";
import { useShortcuts } from "@/app/shortcuts";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { TableSkeleton } from "@/components/table-skeleton";
import { Button } from "@/components/ui/button";
import { useMessages } from "@/lib/i18n";

import { KeyForm } from "../users/form/key-form";
import { KeyList } from "../users/key-list";
import { messages } from "../users/messages";
import { SecretDialog } from "../users/secret";
import type { KeysSearch } from "./route";

const route = getRouteApi("/app/keys");

export function KeysPage() {
  const t = useMessages(messages);
  const { key, create } = route.useSearch();
  const navigate = route.useNavigate();
  const keys = useQuery(keysQuery);
  const me = useSession()?.me.user?.id;
  const open = (search: KeysSearch) => void navigate({ search });
  useShortcuts([{ keys: "n", text: t.newKey, run: () => open({ create: true }) }]);
  return (
    <>
      <PageHeader title={t.mine.title} text={t.mine.text}>
        <Button look="primary" onClick={() => open({ create: true })}>
          <PlusIcon /> {t.newKey}
        </Button>
      </PageHeader>
      <div className="max-w-4xl px-4 pb-8 md:px-6">
        {keys.isError ? (
          <QueryFailure query={keys} />
        ) : keys.isPending ? (
          <TableSkeleton rowHeight={64} rows={3} />
        ) : (
          <KeyList keys={keys.data} onEdit={({ id }) => open({ key: id })} onCreate={() => open({ create: true })} />
        )}
      </div>
      <KeyForm id={key} userId={create ? me : undefined} onClose={() => open({})} />
      <SecretDialog />
    </>
  );
}
