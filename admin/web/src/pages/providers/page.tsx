// Providers: who answers, in which order, how they are.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { PlusIcon, ServerIcon } from "lucide-react";
import { useMemo, useState } from "react";

import { breakersQuery, providersQuery } from "@/api/providers";
import { lastDay, usageByQuery } from "@/api/usage";
import { useShortcuts } from "@/app/shortcuts";
import { DataTable } from "@/components/data-table";
import { Empty } from "@/components/empty";
import { FullPage } from "@/components/full-page";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { SearchInput } from "@/components/search-input";
import { TableSkeleton } from "@/components/table-skeleton";
import { Button } from "@/components/ui/button";
import { Segmented } from "@/components/ui/tabs";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { CARD_HEIGHT, ProviderCard, useColumns } from "./columns";
import { ProviderForm } from "./form/sheet";
import { messages } from "./messages";
import type { ProvidersSearch } from "./route";
import { type ProviderRow, choose, order, toRows } from "./rows";

const route = getRouteApi("/app/providers");
const ROW_HEIGHT = 56;

export function ProvidersPage() {
  const t = useMessages(messages);
  const format = useFormat();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [span] = useState(lastDay);
  const providers = useQuery(providersQuery);
  const breakers = useQuery(breakersQuery);
  const usage = useQuery(usageByQuery("provider", span));
  const columns = useColumns();
  const all = useMemo(() => toRows(providers.data ?? [], breakers.data ?? [], usage.data ?? []), [providers.data, breakers.data, usage.data]);
  const rows = useMemo(() => order(choose(all, search), search), [all, search]);
  const change = (part: Partial<ProvidersSearch>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  const openForm = () => void navigate({ search: (before) => ({ ...before, create: true }) });
  useShortcuts([{ keys: "n", text: t.add, run: openForm }]);

  const sort = search.sort ? { column: search.sort, isDescending: search.desc ?? false } : undefined;
  const on = all.filter(({ provider }) => provider.isEnabled).length;
  return (
    <FullPage>
      <PageHeader title={t.title} text={providers.data && t.summary(format.count(on), format.count(all.length))}>
        <Button look="primary" onClick={openForm}>
          <PlusIcon /> {t.add}
        </Button>
      </PageHeader>
      <div className="flex flex-wrap items-center gap-2 px-4 pb-3 md:px-6">
        <SearchInput label={t.search} value={search.q ?? ""} onChange={(q) => change({ q: q || undefined })} />
        <Segmented
          label={t.show}
          value={search.show ?? "all"}
          onChange={(show) => change({ show: show === "all" ? undefined : show })}
          options={(["all", "enabled", "disabled", "unwell"] as const).map((value) => ({ value, label: t[value] }))}
        />
      </div>
      {providers.isError ? (
        <QueryFailure query={providers} />
      ) : (
        <DataTable<ProviderRow>
          label={t.table}
          rows={rows}
          columns={columns}
          rowId={(row) => String(row.provider.id)}
          rowHeight={ROW_HEIGHT}
          card={{ height: CARD_HEIGHT, render: (row) => <ProviderCard row={row} /> }}
          sort={sort}
          onSort={(column) => change(nextSort(search, column))}
          onOpen={({ provider }) => void navigate({ search: (before) => ({ ...before, edit: provider.id }) })}
          openId={search.edit === undefined ? undefined : String(search.edit)}
          className="border-t"
          empty={providers.isPending ? <TableSkeleton rowHeight={ROW_HEIGHT} /> : <NoProviders isFiltered={all.length > 0} onAdd={openForm} onClear={() => change({ q: undefined, show: undefined })} />}
        />
      )}
      <ProviderForm />
    </FullPage>
  );
}

/** Up, down, and back to the order in which requests try them. */
function nextSort(search: ProvidersSearch, column: string): Partial<ProvidersSearch> {
  if (search.sort !== column) return { sort: column, desc: undefined };
  return search.desc ? { sort: undefined, desc: undefined } : { desc: true };
}

function NoProviders({ isFiltered, onAdd, onClear }: { isFiltered: boolean; onAdd: () => void; onClear: () => void }) {
  const t = useMessages(messages);
  if (isFiltered) {
    return (
      <Empty icon={ServerIcon} title={t.noneTitle} text={t.noneText}>
        <Button onClick={onClear}>{t.clear}</Button>
      </Empty>
    );
  }
  return (
    <Empty icon={ServerIcon} title={t.emptyTitle} text={t.emptyText}>
      <Button look="primary" onClick={onAdd}>
        <PlusIcon /> {t.add}
      </Button>
    </Empty>
  );
}
