// The conversations of clients, those seen last first.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { MessagesSquareIcon } from "lucide-react";
import { useMemo } from "react";

import { type ClientSession, clientSessionsQuery } from "@/api/sessions";
import { DataTable } from "@/components/data-table";
import { Empty } from "@/components/empty";
import { FullPage } from "@/components/full-page";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { SearchInput } from "@/components/search-input";
import { TableSkeleton } from "@/components/table-skeleton";
import { Button } from "@/components/ui/button";
import { Switch } from "@/components/ui/switch";
import { Segmented } from "@/components/ui/tabs";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { CARD_HEIGHT, SessionCard, useColumns } from "./columns";
import { messages } from "./messages";
import { SPANS, type SessionsSearch, type Span } from "./route";
import { SessionTabs } from "./tabs";

const route = getRouteApi("/app/sessions");
const ROW_HEIGHT = 48;

export function ClientSessions() {
  const t = useMessages(messages);
  const format = useFormat();
  const search = route.useSearch();
  const go = route.useNavigate();
  const navigate = useNavigate();
  const query = useQuery(clientSessionsQuery(SPANS[search.span ?? "30m"], search.live ?? false));
  const columns = useColumns();
  const rows = useMemo(() => choose(query.data ?? [], search.q), [query.data, search.q]);
  const running = (query.data ?? []).filter(({ inFlight }) => inFlight > 0).length;
  const change = (part: Partial<SessionsSearch>) => void go({ search: (before) => ({ ...before, ...part }), replace: true });
  const isFiltered = search.q !== undefined || search.live === true;
  return (
    <FullPage>
      <PageHeader title={t.title} text={query.data && t.summary(format.count(running), format.count(query.data.length))}>
        <SessionTabs />
      </PageHeader>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pb-3 md:px-6">
        <SearchInput label={t.search} value={search.q ?? ""} onChange={(q) => change({ q: q || undefined })} />
        <Segmented
          label={t.span}
          value={search.span ?? "30m"}
          onChange={(span) => change({ span: span === "30m" ? undefined : span })}
          options={(Object.keys(SPANS) as Span[]).map((value) => ({ value, label: t.spans[value] }))}
        />
        <label className="flex items-center gap-2 text-[0.8125rem]">
          <Switch aria-label={t.live} checked={search.live ?? false} onCheckedChange={(live) => change({ live: live || undefined })} />
          {t.live}
        </label>
      </div>
      {query.isError ? (
        <QueryFailure query={query} />
      ) : (
        <DataTable<ClientSession>
          label={t.table}
          rows={rows}
          columns={columns}
          rowId={(session) => `${session.keyId} ${session.sessionId}`}
          rowHeight={ROW_HEIGHT}
          card={{ height: CARD_HEIGHT, render: (session) => <SessionCard session={session} /> }}
          onOpen={({ sessionId }) => void navigate({ to: "/requests", search: { session: sessionId } })}
          className="border-t"
          empty={
            query.isPending ? (
              <TableSkeleton rowHeight={ROW_HEIGHT} />
            ) : (
              <Empty icon={MessagesSquareIcon} title={isFiltered ? t.noneTitle : t.emptyTitle} text={isFiltered ? t.noneText : t.emptyText}>
                {isFiltered && <Button onClick={() => change({ q: undefined, live: undefined })}>{t.clear}</Button>}
              </Empty>
            )
          }
        />
      )}
    </FullPage>
  );
}

function choose(sessions: readonly ClientSession[], q: string | undefined): readonly ClientSession[] {
  const wanted = q?.toLowerCase();
  if (!wanted) return sessions;
  return sessions.filter(({ sessionId, userName, keyName, model }) => [sessionId, userName, keyName, model ?? ""].some((text) => text.toLowerCase().includes(wanted)));
}
