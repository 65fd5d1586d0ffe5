// What was sent, newest first, as far back as one scrolls.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ColumnDef } from "@tanstack/react-table";
import { SendIcon } from "lucide-react";
import { useMemo } from "react";

import { type Delivery, type DeliveryFilter, type DeliveryState, EVENTS, STATES, deliveriesQuery, targetsQuery } from "@/api/notifications";
import { DataTable } from "@/components/data-table";
import { Empty } from "@/components/empty";
import { QueryFailure } from "@/components/query-failure";
import { TableSkeleton } from "@/components/table-skeleton";
import { ClockTime, RelativeTime } from "@/components/time";
import { Badge, type Tone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/input";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";
import type { NotificationsSearch } from "./route";

const route = getRouteApi("/app/notifications");
const ROW_HEIGHT = 40;
const TONES: Record<DeliveryState, Tone> = { pending: "warn", delivered: "ok", failed: "bad" };
const NOTHING = { state: undefined, event: undefined, target: undefined };

export function Deliveries() {
  const t = useMessages(messages).delivery;
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const columns = useColumns();
  const query = useInfiniteQuery(deliveriesQuery(toFilter(search)));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const change = (part: Partial<NotificationsSearch>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  const isFiltered = search.state !== undefined || search.event !== undefined || search.target !== undefined;
  const more = () => {
    if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
  };
  return (
    <>
      <Filters search={search} onChange={change} />
      {query.isError ? (
        <QueryFailure query={query} />
      ) : (
        <DataTable<Delivery>
          label={t.table}
          rows={rows}
          columns={columns}
          rowId={(row) => String(row.id)}
          rowHeight={ROW_HEIGHT}
          card={{ height: 84, render: (row) => <DeliveryCard row={row} /> }}
          onEnd={more}
          className="border-t"
          empty={
            query.isPending ? (
              <TableSkeleton rowHeight={ROW_HEIGHT} />
            ) : (
              <Empty icon={SendIcon} title={isFiltered ? t.noneTitle : t.emptyTitle} text={isFiltered ? t.noneText : t.emptyText}>
                {isFiltered && <Button onClick={() => change(NOTHING)}>{t.clear}</Button>}
              </Empty>
            )
          }
          footer={query.isFetchingNextPage ? <TableSkeleton rowHeight={ROW_HEIGHT} rows={3} /> : rows.length > 20 && !query.hasNextPage ? <p className="py-4 text-center text-xs text-muted-foreground">{t.end}</p> : null}
        />
      )}
    </>
  );
}

function toFilter({ state, event, target }: NotificationsSearch): DeliveryFilter {
  return { ...(state && { state }), ...(event && { event }), ...(target !== undefined && { targetId: target }) };
}

function Filters({ search, onChange }: { search: NotificationsSearch; onChange: (part: Partial<NotificationsSearch>) => void }) {
  const { delivery: t, states, events } = useMessages(messages);
  const targets = useQuery(targetsQuery).data ?? [];
  return (
    <div className="flex flex-wrap items-center gap-2 px-4 pb-3 md:px-6">
      <Select aria-label={t.state} className="w-36" value={search.state ?? ""} onChange={(event) => onChange({ state: STATES.find((each) => each === event.target.value) })}>
        <option value="">{t.anyState}</option>
        {STATES.map((value) => <option key={value} value={value}>{states[value]}</option>)}
      </Select>
      <Select aria-label={t.event} className="w-44" value={search.event ?? ""} onChange={(event) => onChange({ event: [...EVENTS, "test" as const].find((each) => each === event.target.value) })}>
        <option value="">{t.anyEvent}</option>
        {[...EVENTS, "test" as const].map((value) => <option key={value} value={value}>{events[value]}</option>)}
      </Select>
      <Select aria-label={t.target} className="w-44" value={search.target ?? ""} onChange={(event) => onChange({ target: event.target.value === "" ? undefined : Number(event.target.value) })}>
        <option value="">{t.anyTarget}</option>
        {targets.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
      </Select>
    </div>
  );
}

function useColumns(): ColumnDef<Delivery>[] {
  const c = useMessages(messages).delivery.columns;
  return useMemo<ColumnDef<Delivery>[]>(
    () => [
      { id: "at", header: c.at, size: 150, meta: { isFixed: true }, cell: ({ row }) => <ClockTime value={row.original.createdAt} className="text-muted-foreground" /> },
      { id: "state", header: c.state, size: 96, meta: { isFixed: true }, cell: ({ row }) => <State row={row.original} /> },
      { id: "title", header: c.title, size: 320, cell: ({ row }) => <span className="truncate" title={row.original.title}>{row.original.title}</span> },
      { id: "target", header: c.target, size: 150, cell: ({ row }) => <span className="truncate">{row.original.targetName}</span> },
      { id: "attempts", header: c.attempts, size: 84, meta: { isFixed: true, isNumber: true }, cell: ({ row }) => row.original.attempts },
      { id: "error", header: c.error, size: 260, cell: ({ row }) => <Back row={row.original} /> },
    ],
    [c],
  );
}

function State({ row }: { row: Delivery }) {
  const { states } = useMessages(messages);
  return <Badge tone={TONES[row.state]}>{states[row.state]}</Badge>;
}

/** What the last attempt was answered, and when the next one is. */
function Back({ row }: { row: Delivery }) {
  const t = useMessages(messages).delivery;
  const text = row.error ?? row.status ?? "";
  return (
    <span className="flex min-w-0 items-baseline gap-2 text-xs text-muted-foreground" title={row.error ?? undefined}>
      <span className="truncate">{text}</span>
      {row.nextAttemptAt && row.attempts > 0 && <span className="shrink-0">{t.next} <RelativeTime value={row.nextAttemptAt} /></span>}
    </span>
  );
}

function DeliveryCard({ row }: { row: Delivery }) {
  return (
    <div className="space-y-1">
      <div className="flex items-center gap-2">
        <State row={row} />
        <span className="min-w-0 flex-1 truncate">{row.title}</span>
      </div>
      <div className="flex items-center gap-2 text-xs text-muted-foreground">
        <span className="min-w-0 flex-1 truncate">{row.targetName}</span>
        <ClockTime value={row.createdAt} />
      </div>
      <Back row={row} />
    </div>
  );
}
