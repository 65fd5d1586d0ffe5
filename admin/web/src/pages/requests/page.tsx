// The request log: newest first, as far back as one scrolls, with the new ones coming in.
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ArrowUpIcon, Columns3Icon, ScrollTextIcon } from "lucide-react";
import { useCallback, useMemo, useState } from "react";

import { type RequestFilter, type RequestRow, requestsQuery } from "@/api/requests";
import { useShortcuts } from "@/app/shortcuts";
import { DataTable } from "@/components/data-table";
import { Empty } from "@/components/empty";
import { FullPage } from "@/components/full-page";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { TableSkeleton } from "@/components/table-skeleton";
import { Dot } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Menu, MenuCheckbox, MenuContent, MenuTrigger } from "@/components/ui/menu";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { useStore } from "@/lib/store";

import { ALWAYS, CARD_HEIGHT, COLUMN_IDS, type ColumnId, RequestCard, hiddenColumns, useColumns } from "./columns";
import { RequestDrawer } from "./drawer/drawer";
import { Filters, useFilter } from "./filters";
import { messages } from "./messages";
import { FILTERS, isFiltered, toFilter } from "./search";
import { useTail } from "./tail";

const route = getRouteApi("/app/requests");
const ROW_HEIGHT = 40;
const rowId = (row: RequestRow) => row.id;
const card = { height: CARD_HEIGHT, render: (row: RequestRow) => <RequestCard row={row} /> };

export function RequestsPage() {
  const t = useMessages(messages);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = useFilter();
  const [since] = useState(Date.now);
  const [scrollToTop, setScrollToTop] = useState(0);
  // By its content: opening a drawer makes a new search, not a new filter.
  const filterText = JSON.stringify(toFilter(search, since));
  const asked = useMemo(() => JSON.parse(filterText) as RequestFilter, [filterText]);
  const query = useInfiniteQuery(requestsQuery(asked));
  const isLive = !search.paused && !asked.to;
  const tail = useTail(asked, isLive && query.isSuccess);
  const columns = useColumns();
  const hidden = useStore(hiddenColumns);
  const visibility = useMemo(() => Object.fromEntries(hidden.map((id) => [id, false])), [hidden]);
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);

  const { fetchNextPage, hasNextPage, isFetchingNextPage } = query;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage]);
  const open = useCallback((row: RequestRow) => void navigate({ search: (before) => ({ ...before, request: row.id }) }), [navigate]);
  const toggleLive = () => set({ paused: isLive ? true : undefined });
  useShortcuts([{ keys: "l", text: t.live, run: toggleLive }]);
  const showWaiting = () => {
    tail.show();
    setScrollToTop((count) => count + 1);
  };
  return (
    <FullPage>
      <PageHeader title={t.title}>
        <Button onClick={toggleLive} aria-pressed={isLive} title={t.liveHint} disabled={asked.to !== undefined}>
          <Dot tone={isLive ? "ok" : "neutral"} isLive={isLive} /> {isLive ? t.live : t.paused}
        </Button>
        <ColumnChoice available={columns.map((column) => column.id as ColumnId)} hidden={hidden} />
      </PageHeader>
      <Filters />
      <div className="relative flex min-h-0 flex-1 flex-col border-t">
        {tail.waiting > 0 && <Waiting count={tail.waiting} onShow={showWaiting} />}
        {query.isError && rows.length === 0 ? (
          <QueryFailure query={query} />
        ) : (
          <DataTable<RequestRow>
            key={filterText}
            label={t.table}
            rows={rows}
            columns={columns}
            rowId={rowId}
            rowHeight={ROW_HEIGHT}
            card={card}
            visibility={visibility}
            onOpen={open}
            openId={search.request}
            onEnd={onEnd}
            onTop={tail.setAtTop}
            scrollToTop={scrollToTop}
            rowClassName={(row) => (tail.isFresh(row.id) ? "animate-arrive" : undefined)}
            empty={query.isPending ? <TableSkeleton rowHeight={ROW_HEIGHT} rows={18} /> : <NoRequests />}
            footer={rows.length > 0 && <End count={rows.length} isLoading={hasNextPage} />}
          />
        )}
      </div>
      <RequestDrawer rows={rows} />
    </FullPage>
  );
}

function Waiting({ count, onShow }: { count: number; onShow: () => void }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <Button look="primary" size="small" onClick={onShow} className="absolute top-10 left-1/2 z-20 -translate-x-1/2 rounded-full shadow-raised">
      <ArrowUpIcon /> {t.fresh(format.count(count))}
    </Button>
  );
}

function End({ count, isLoading }: { count: number; isLoading: boolean }) {
  const t = useMessages(messages);
  const format = useFormat();
  return <p className="sticky left-0 py-4 text-center text-xs text-muted-foreground">{isLoading ? t.loading : t.end(format.count(count))}</p>;
}

function ColumnChoice({ available, hidden }: { available: readonly ColumnId[]; hidden: readonly ColumnId[] }) {
  const t = useMessages(messages);
  const choose = (id: ColumnId, isShown: boolean) =>
    hiddenColumns.set(COLUMN_IDS.filter((each) => (each === id ? !isShown : hidden.includes(each))));
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button className="max-md:hidden">
          <Columns3Icon /> {t.columnsButton}
        </Button>
      </MenuTrigger>
      <MenuContent align="end">
        {available.filter((id) => !ALWAYS.includes(id)).map((id) => (
          <MenuCheckbox key={id} checked={!hidden.includes(id)} onCheckedChange={(isShown) => choose(id, isShown)}>
            {t.columns[id]}
          </MenuCheckbox>
        ))}
      </MenuContent>
    </Menu>
  );
}

function NoRequests() {
  const t = useMessages(messages);
  const set = useFilter();
  if (!isFiltered(route.useSearch())) return <Empty icon={ScrollTextIcon} title={t.emptyTitle} text={t.emptyText} />;
  return (
    <Empty icon={ScrollTextIcon} title={t.noneTitle} text={t.noneText}>
      <Button onClick={() => set(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}>{t.clear}</Button>
    </Empty>
  );
}
