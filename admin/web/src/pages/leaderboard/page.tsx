// Who used the most: of cost, requests or tokens, in a span.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { TrophyIcon } from "lucide-react";
import { useMemo } from "react";

import { useGatewayZone } from "@/api/session";
import { DIMENSIONS, type UsageShare, filterFor, leaderboardQuery, usageTotalsQuery } from "@/api/usage";
import { DataTable } from "@/components/data-table";
import { Empty } from "@/components/empty";
import { FullPage } from "@/components/full-page";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { SpanPicker } from "@/components/span-picker";
import { TableSkeleton } from "@/components/table-skeleton";
import { Button } from "@/components/ui/button";
import { Dialog, SheetContent } from "@/components/ui/dialog";
import { Select } from "@/components/ui/input";
import { Segmented } from "@/components/ui/tabs";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { MEASURES, type Measure, measured } from "@/lib/measure";
import { dimensionWords, shareId, useShareName } from "@/lib/share-names";
import { dayOf, shifted, startOf } from "@/lib/zone";

import { Rank, ShareBar, columnsOf } from "./columns";
import { Detail } from "./detail";
import { messages } from "./messages";
import { type LeaderboardSearch, PERIODS, type Period } from "./route";

const route = getRouteApi("/app/leaderboard");

export function LeaderboardPage() {
  const t = useMessages(messages);
  const words = useMessages(dimensionWords);
  const format = useFormat();
  const navigate = useNavigate();
  const search = route.useSearch();
  const { period = "day", by = "user", sort = "cost" } = search;
  const zone = useGatewayZone();
  const today = dayOf(Date.now(), zone);
  const isCustom = period === "custom" && search.from !== undefined && search.to !== undefined;
  const custom = useMemo(
    () => (isCustom && search.from && search.to ? { from: new Date(startOf(search.from, zone)).toISOString(), to: new Date(startOf(shifted(search.to, 1), zone)).toISOString() } : {}),
    [isCustom, zone, search.from, search.to],
  );
  const board = useInfiniteQuery({ ...leaderboardQuery({ period: isCustom ? "custom" : period === "custom" ? "day" : period, by, sort, ...custom }) });
  const first = board.data?.pages[0];
  const span = useMemo(() => (first ? { from: first.from, to: first.to } : null), [first?.from, first?.to]);
  const totals = useQuery({ ...usageTotalsQuery(span ?? {}), enabled: span !== null });
  const rows = useMemo(() => board.data?.pages.flatMap(({ items }) => items) ?? [], [board.data]);
  const nameOf = useShareName(by);
  const top = rows[0] ? measured(rows[0].usage, sort) : 0;
  const total = totals.data ? measured(totals.data, sort) : null;
  const columns = useMemo(() => columnsOf({ t, format, who: words.names[by], nameOf, sort, top, total }), [t, format, words, by, nameOf, sort, top, total]);
  const go = (part: LeaderboardSearch) => void navigate({ to: "/leaderboard", search: { ...search, ...part }, replace: !("open" in part), resetScroll: false });
  const choose = (next: Period) => go(next === "custom" ? { period: next, from: shifted(today, -6), to: today } : { period: next === "day" ? undefined : next, from: undefined, to: undefined });
  const opened = search.open === undefined ? undefined : rows.find((row) => (row.id ?? row.name) === search.open);
  const filter = opened && filterFor(by, opened);
  const days = isCustom && search.from && search.to ? { from: search.from, to: search.to } : null;
  return (
    <FullPage>
      <PageHeader title={t.title} text={span ? t.span(format.date(span.from), format.date(span.to)) : <>&nbsp;</>}>
        <SpanPicker value={period} options={PERIODS.map((value) => ({ value, label: t.periods[value] }))} onChange={choose} days={days} onDays={(next) => go({ period: "custom", ...next })} max={today} />
      </PageHeader>
      <div className="flex flex-wrap items-center gap-2 px-4 pb-3 md:px-6">
        <Segmented
          label={words.by}
          value={by}
          options={DIMENSIONS.map((value) => ({ value, label: words.plural[value] }))}
          onChange={(next) => go({ by: next === "user" ? undefined : next, open: undefined })}
          className="max-sm:hidden"
        />
        <Select aria-label={words.by} value={by} onChange={(event) => go({ by: DIMENSIONS.find((each) => each === event.target.value), open: undefined })} className="w-32 sm:hidden">
          {DIMENSIONS.map((value) => (
            <option key={value} value={value}>{words.plural[value]}</option>
          ))}
        </Select>
        <Segmented label={t.sortedBy} value={sort} options={MEASURES.map((value) => ({ value, label: t.measures[value] }))} onChange={(next) => go({ sort: next === "cost" ? undefined : next })} />
      </div>
      {board.error && !board.data ? (
        <QueryFailure query={board} />
      ) : !board.data ? (
        <TableSkeleton rowHeight={44} />
      ) : (
        <DataTable
          label={t.title}
          className="border-t"
          rows={rows}
          columns={columns}
          rowId={shareId}
          rowHeight={44}
          card={{ height: 68, render: (row) => <ShareCard share={row} name={nameOf(row)} sort={sort} top={top} total={total} /> }}
          sort={{ column: sort, isDescending: true }}
          onSort={(column) => go({ sort: MEASURES.find((each) => each === column) })}
          onOpen={(row) => filterFor(by, row) && go({ open: row.id ?? row.name ?? undefined })}
          openId={opened && shareId(opened)}
          onEnd={() => board.hasNextPage && !board.isFetchingNextPage && void board.fetchNextPage()}
          empty={
            <Empty icon={TrophyIcon} title={t.empty} text={t.emptyText}>
              <Button asChild>
                <Link to="/usage-doc">{t.guide}</Link>
              </Button>
            </Empty>
          }
        />
      )}
      <Dialog open={Boolean(opened && filter)} onOpenChange={(isOpen) => !isOpen && go({ open: undefined })}>
        {opened && filter && span && (
          <SheetContent title={nameOf(opened)} description={t.detail(opened.rank, words.plural[by])}>
            <Detail share={opened} by={by} filter={filter} span={span} />
          </SheetContent>
        )}
      </Dialog>
    </FullPage>
  );
}

function ShareCard({ share, name, sort, top, total }: { share: UsageShare; name: string; sort: Measure; top: number; total: number | null }) {
  const format = useFormat();
  const { usage } = share;
  return (
    <div className="space-y-1.5">
      <div className="flex items-center gap-2">
        <Rank rank={share.rank} />
        <span className="min-w-0 flex-1 truncate font-medium">{name}</span>
        <span className="text-muted-foreground tabular-nums">{sort === "tokens" ? format.compact(usage.totalTokens) : format.count(usage.requests)}</span>
        <span className="w-20 text-right font-medium tabular-nums">{format.usd(usage.costUsd)}</span>
      </div>
      <ShareBar value={measured(usage, sort)} top={top} total={total} format={format} />
    </div>
  );
}
