// The head of a table, which stays in sight.
import { type Header, flexRender } from "@tanstack/react-table";
import { ArrowDownIcon, ArrowUpIcon } from "lucide-react";

import { cn } from "@/lib/cn";

import type { Sort } from "./data-table";

interface Props<T> {
  headers: Header<T, unknown>[];
  template: string;
  sort?: Sort | undefined;
  onSort?: ((column: string) => void) | undefined;
}

export function HeaderRow<T>({ headers, template, sort, onSort }: Props<T>) {
  return (
    <div role="rowgroup" className="sticky top-0 z-10">
      <div role="row" className="grid h-8 items-center border-b bg-background px-4 text-xs text-muted-foreground md:px-6" style={{ gridTemplateColumns: template }}>
        {headers.map((header) => (
          <HeaderCell key={header.id} header={header} sort={sort} onSort={onSort} />
        ))}
      </div>
    </div>
  );
}

function HeaderCell<T>({ header, sort, onSort }: { header: Header<T, unknown> } & Pick<Props<T>, "sort" | "onSort">) {
  const { id, columnDef } = header.column;
  const text = flexRender(columnDef.header, header.getContext());
  const isSorted = sort?.column === id;
  const isSortable = onSort && columnDef.enableSorting === true;
  const Arrow = sort?.isDescending ? ArrowDownIcon : ArrowUpIcon;
  return (
    <div
      role="columnheader"
      aria-sort={isSorted ? (sort.isDescending ? "descending" : "ascending") : undefined}
      className={cn("flex min-w-0 items-center px-2.5", columnDef.meta?.isNumber && "justify-end")}
    >
      {isSortable ? (
        <button type="button" onClick={() => onSort(id)} className={cn("inline-flex min-w-0 items-center gap-1 rounded hover:text-foreground", isSorted && "font-medium text-foreground")}>
          <span className="truncate">{text}</span>
          {isSorted && <Arrow aria-hidden className="size-3" />}
        </button>
      ) : (
        <span className={cn("truncate", columnDef.meta?.label && "sr-only")}>{columnDef.meta?.label ?? text}</span>
      )}
    </div>
  );
}
