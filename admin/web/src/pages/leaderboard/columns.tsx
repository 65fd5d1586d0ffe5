// The columns: who, how much, and what it says of them.
import type { ColumnDef } from "@tanstack/react-table";
import type { ReactNode } from "react";

import type { UsageShare } from "@/api/usage";
import { cn } from "@/lib/cn";
import type { Format } from "@/lib/format";
import type { Worded } from "@/lib/i18n";
import { type Measure, cacheShare, errorShare, measured } from "@/lib/measure";

import type { messages } from "./messages";

interface Context {
  t: Worded<(typeof messages)["en"]>;
  format: Format;
  who: string;
  nameOf: (share: UsageShare) => string;
  sort: Measure;
  /** The largest of all. */
  top: number;
  /** The sum of all; null while it is not known. */
  total: number | null;
}

export function columnsOf({ t, format, who, nameOf, sort, top, total }: Context): ColumnDef<UsageShare>[] {
  const number = { isNumber: true };
  const main = (measure: Measure) => cn(sort === measure ? "font-medium" : "text-muted-foreground");
  return [
    { id: "rank", size: 44, header: "#", meta: { isFixed: true }, cell: ({ row }) => <Rank rank={row.original.rank} /> },
    { id: "who", size: 210, header: who, cell: ({ row }) => <span className="truncate font-medium" title={nameOf(row.original)}>{nameOf(row.original)}</span> },
    {
      id: "bar",
      size: 190,
      header: t.share,
      cell: ({ row }) => <ShareBar value={measured(row.original.usage, sort)} top={top} total={total} format={format} />,
    },
    { id: "cost", size: 100, header: t.measures.cost, enableSorting: true, meta: number, cell: ({ row }) => <span className={main("cost")}>{format.usd(row.original.usage.costUsd)}</span> },
    { id: "requests", size: 96, header: t.measures.requests, enableSorting: true, meta: number, cell: ({ row }) => <span className={main("requests")}>{format.count(row.original.usage.requests)}</span> },
    { id: "tokens", size: 88, header: t.measures.tokens, enableSorting: true, meta: number, cell: ({ row }) => <span className={main("tokens")}>{format.compact(row.original.usage.totalTokens)}</span> },
    { id: "perRequest", size: 100, header: t.perRequest, meta: number, cell: ({ row: { original: { usage } } }) => <Soft>{usage.requests > 0 ? format.usd(Number(usage.costUsd) / usage.requests) : "—"}</Soft> },
    {
      id: "cached",
      size: 80,
      header: t.cached,
      meta: number,
      cell: ({ row }) => {
        const share = cacheShare(row.original.usage);
        return <Soft>{share === null ? "—" : format.percent(share)}</Soft>;
      },
    },
    {
      id: "errors",
      size: 76,
      header: t.errors,
      meta: number,
      cell: ({ row }) => {
        const share = errorShare(row.original.usage);
        return <span className={share !== null && share > 0.05 ? "text-bad" : "text-muted-foreground"}>{share === null ? "—" : format.percent(share)}</span>;
      },
    },
  ];
}

function Soft({ children }: { children: ReactNode }) {
  return <span className="text-muted-foreground">{children}</span>;
}

export function Rank({ rank }: { rank: number }) {
  return (
    <span className={cn("inline-flex h-5 min-w-6 items-center justify-center rounded px-1 text-xs tabular-nums", rank <= 3 ? "bg-accent-soft font-semibold text-accent" : "text-muted-foreground")}>
      {rank}
    </span>
  );
}

interface BarProps {
  value: number;
  top: number;
  total: number | null;
  format: Format;
}

export function ShareBar({ value, top, total, format }: BarProps) {
  return (
    <span className="flex w-full items-center gap-2.5">
      <span aria-hidden className="h-2 min-w-0 flex-1 overflow-hidden rounded-[3px] bg-muted/60">
        <span className="block h-full rounded-[3px] bg-chart-1" style={{ width: top > 0 && value > 0 ? `max(${(value / top) * 100}%, 2px)` : 0 }} />
      </span>
      <span className="w-11 shrink-0 text-right text-xs text-muted-foreground tabular-nums">{total ? format.percent(value / total) : "—"}</span>
    </span>
  );
}
