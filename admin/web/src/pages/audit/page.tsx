// Audit: who changed what, as far back as one scrolls.
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { HistoryIcon, XIcon } from "lucide-react";
import { useMemo, useState } from "react";

import { ACTIONS, type AuditAction, type AuditEntry, auditQuery } from "@/api/audit";
import { DataTable } from "@/components/data-table";
import { Empty } from "@/components/empty";
import { FullPage } from "@/components/full-page";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { TableSkeleton } from "@/components/table-skeleton";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/input";
import { Segmented } from "@/components/ui/tabs";
import { useMessages } from "@/lib/i18n";

import { AuditCard, CARD_HEIGHT, useColumns, useResourceName } from "./columns";
import { AuditDrawer } from "./drawer";
import { messages } from "./messages";
import { type AuditSearch, SPANS, toFilter } from "./route";

const route = getRouteApi("/app/audit");
const ROW_HEIGHT = 40;
const NOTHING: Partial<AuditSearch> = { action: undefined, resource: undefined, id: undefined, user: undefined, key: undefined, span: undefined };

export function AuditPage() {
  const t = useMessages(messages);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const columns = useColumns();
  const [since] = useState(Date.now);
  const query = useInfiniteQuery(auditQuery(toFilter(search, since)));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const change = (part: Partial<AuditSearch>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  const isFiltered = Object.keys(NOTHING).some((name) => search[name as keyof AuditSearch] !== undefined);
  const more = () => {
    if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
  };
  return (
    <FullPage>
      <PageHeader title={t.title} text={t.text} />
      <Filters search={search} onChange={change} />
      {query.isError ? (
        <QueryFailure query={query} />
      ) : (
        <DataTable<AuditEntry>
          label={t.table}
          rows={rows}
          columns={columns}
          rowId={(entry) => String(entry.id)}
          rowHeight={ROW_HEIGHT}
          card={{ height: CARD_HEIGHT, render: (entry) => <AuditCard entry={entry} /> }}
          onOpen={({ id }) => void navigate({ search: (before) => ({ ...before, entry: id }) })}
          openId={search.entry === undefined ? undefined : String(search.entry)}
          onEnd={more}
          className="border-t"
          empty={
            query.isPending ? (
              <TableSkeleton rowHeight={ROW_HEIGHT} />
            ) : (
              <Empty icon={HistoryIcon} title={isFiltered ? t.noneTitle : t.emptyTitle} text={isFiltered ? t.noneText : t.emptyText}>
                {isFiltered && <Button onClick={() => change(NOTHING)}>{t.clear}</Button>}
              </Empty>
            )
          }
          footer={query.isFetchingNextPage ? <TableSkeleton rowHeight={ROW_HEIGHT} rows={3} /> : rows.length > 20 && !query.hasNextPage ? <p className="py-4 text-center text-xs text-muted-foreground">{t.end}</p> : null}
        />
      )}
      <AuditDrawer id={search.entry} onClose={() => void navigate({ search: ({ entry: _entry, ...rest }) => rest })} onAll={(resource, id) => void navigate({ search: { resource, id } })} />
    </FullPage>
  );
}

function Filters({ search, onChange }: { search: AuditSearch; onChange: (part: Partial<AuditSearch>) => void }) {
  const t = useMessages(messages);
  const nameOf = useResourceName();
  const one = search.id && `${nameOf(search.resource ?? "")} ${search.id}`;
  return (
    <div className="flex flex-wrap items-center gap-2 px-4 pb-3 md:px-6">
      <Select aria-label={t.action} className="w-40" value={search.action ?? ""} onChange={(event) => onChange({ action: (event.target.value || undefined) as AuditAction | undefined })}>
        <option value="">{t.anyAction}</option>
        {ACTIONS.map((action) => <option key={action} value={action}>{t.actions[action]}</option>)}
      </Select>
      <Select aria-label={t.resource} className="w-40" value={search.resource ?? ""} onChange={(event) => onChange({ resource: event.target.value || undefined, id: undefined })}>
        <option value="">{t.anyResource}</option>
        {Object.entries(t.resources).map(([value, label]) => <option key={value} value={value}>{label}</option>)}
      </Select>
      <Segmented
        label={t.span}
        value={search.span ?? "all"}
        onChange={(span) => onChange({ span: span === "all" ? undefined : span })}
        options={(["all", ...SPANS] as const).map((value) => ({ value, label: t.spans[value] }))}
      />
      {one && (
        <Button size="small" onClick={() => onChange({ id: undefined })}>
          {t.only(one)} <XIcon aria-label={t.clear} />
        </Button>
      )}
    </div>
  );
}
