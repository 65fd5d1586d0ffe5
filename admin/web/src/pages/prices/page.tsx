// What models cost: searched, set, imported, and put on history again.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { FileUpIcon, HistoryIcon, PlusIcon, RefreshCwIcon, SearchXIcon } from "lucide-react";
import { useCallback, useMemo, useState } from "react";

import { PRICE_SOURCES, pricesQuery, unpricedQuery } from "@/api/prices";
import { useShortcuts } from "@/app/shortcuts";
import { DataTable } from "@/components/data-table";
import { Empty } from "@/components/empty";
import { FullPage } from "@/components/full-page";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { SearchInput } from "@/components/search-input";
import { TableSkeleton } from "@/components/table-skeleton";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Select } from "@/components/ui/input";
import { Segmented } from "@/components/ui/tabs";
import { useMessages } from "@/lib/i18n";

import { PriceCard, columnsOf } from "./columns";
import { PriceSheet } from "./detail";
import { PriceForm } from "./form";
import { messages } from "./messages";
import { RepriceSheet } from "./reprice-sheet";
import type { PricesSearch } from "./route";
import { ImportSheet, SyncSheet } from "./table-sheet";
import { Unpriced } from "./unpriced";

const route = getRouteApi("/app/prices");

export function PricesPage() {
  const t = useMessages(messages);
  const navigate = route.useNavigate();
  const search = route.useSearch();
  const { q, source, view, model, set, task } = search;
  const isUnpriced = view === "unpriced";
  const list = useInfiniteQuery({ ...pricesQuery({ ...(q && { q }), ...(source && { source }) }), enabled: !isUnpriced });
  const unpriced = useQuery(unpricedQuery);
  const rows = useMemo(() => list.data?.pages.flatMap(({ items }) => items) ?? [], [list.data]);
  const columns = useMemo(() => columnsOf(t), [t]);
  const [toReprice, setToReprice] = useState<readonly string[]>([]);
  const go = useCallback(
    (part: PricesSearch) => void navigate({ search: (before) => ({ ...before, ...part }), replace: "q" in part || "source" in part, resetScroll: false }),
    [navigate],
  );
  const find = useCallback((next: string) => go({ q: next || undefined }), [go]);
  const close = () => go({ model: undefined, set: undefined, task: undefined });
  useShortcuts([{ keys: "n", text: t.addShortcut, run: () => go({ set: true }) }]);
  const reprice = (models: readonly string[]) => {
    setToReprice(models);
    go({ task: "reprice" });
  };
  return (
    <FullPage>
      <PageHeader title={t.title} text={<span className="max-md:hidden">{t.text}</span>}>
        <Button onClick={() => go({ task: "import" })}><FileUpIcon /> <span className="max-sm:sr-only">{t.import}</span></Button>
        <Button onClick={() => go({ task: "sync" })}><RefreshCwIcon /> <span className="max-sm:sr-only">{t.sync}</span></Button>
        <Button onClick={() => reprice([])}><HistoryIcon /> <span className="max-sm:sr-only">{t.reprice}</span></Button>
        <Button look="primary" onClick={() => go({ set: true })}><PlusIcon /> {t.add}</Button>
      </PageHeader>
      <div className="flex flex-wrap items-center gap-2 px-4 pb-3 md:px-6">
        <Segmented
          label={t.title}
          value={isUnpriced ? "unpriced" : "all"}
          options={[
            { value: "all", label: t.views.all },
            { value: "unpriced", label: unpriced.data?.length ? `${t.views.unpriced} ${unpriced.data.length}` : t.views.unpriced },
          ]}
          onChange={(next) => go({ view: next === "unpriced" ? next : undefined })}
        />
        <SearchInput value={q ?? ""} onChange={find} label={t.search} />
        {!isUnpriced && (
          <Select aria-label={t.source} value={source ?? ""} onChange={(event) => go({ source: PRICE_SOURCES.find((each) => each === event.target.value) })} className="w-36">
            <option value="">{t.sources.all}</option>
            {PRICE_SOURCES.map((each) => (
              <option key={each} value={each}>{t.sources[each]}</option>
            ))}
          </Select>
        )}
      </div>
      {isUnpriced ? (
        <Unpriced query={unpriced} q={q} onSet={(name) => go({ set: name })} onReprice={(name) => reprice([name])} />
      ) : list.error && !list.data ? (
        <QueryFailure query={list} />
      ) : !list.data ? (
        <TableSkeleton rowHeight={38} />
      ) : (
        <DataTable
          label={t.title}
          className="border-t"
          rows={rows}
          columns={columns}
          rowId={(row) => row.model}
          rowHeight={38}
          card={{ height: 62, render: (row) => <PriceCard price={row} /> }}
          onOpen={(row) => go({ model: row.model })}
          openId={model}
          onEnd={() => list.hasNextPage && !list.isFetchingNextPage && void list.fetchNextPage()}
          empty={
            <Empty icon={SearchXIcon} title={t.nothing} text={t.nothingText}>
              {(q || source) && <Button onClick={() => go({ q: undefined, source: undefined })}>{t.clear}</Button>}
              <Button look="primary" onClick={() => go({ set: q ?? true })}><PlusIcon /> {t.add}</Button>
            </Empty>
          }
        />
      )}
      <Dialog open={set !== undefined || task !== undefined || model !== undefined} onOpenChange={(isOpen) => !isOpen && close()}>
        {set !== undefined ? (
          <PriceForm key={String(set)} model={set === true ? null : set} onClose={() => go({ set: undefined })} />
        ) : task === "import" ? (
          <ImportSheet onClose={close} />
        ) : task === "sync" ? (
          <SyncSheet onClose={close} />
        ) : task === "reprice" ? (
          <RepriceSheet key={toReprice.join()} models={toReprice} onClose={close} />
        ) : (
          model !== undefined && <PriceSheet model={model} onEdit={() => go({ set: model })} onClose={close} />
        )}
      </Dialog>
    </FullPage>
  );
}
