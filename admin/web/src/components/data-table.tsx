// A table that draws only the rows in sight, of however many there are.
//
// The table's row model is made of that window alone, so that neither memory nor time grows with what was loaded. Rows can be walked
// with the arrow keys or j and k. Narrow screens get cards instead of columns.
import { type ColumnDef, type RowData, type VisibilityState, getCoreRowModel, useReactTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useMemo, useRef } from "react";

import { cn } from "@/lib/cn";
import { useIsNarrow } from "@/lib/media";

import { HeaderRow } from "./data-table-header";
import { BodyRow } from "./data-table-row";

declare module "@tanstack/react-table" {
  // eslint-disable-next-line -- the names are the library's
  interface ColumnMeta<TData extends RowData, TValue> {
    /** Numbers stand at the end of their cell. */
    isNumber?: boolean;
    /** Takes no part of the room that is left over. */
    isFixed?: boolean;
    /** The name where the header is no text. */
    label?: string;
  }
}

export interface Sort {
  column: string;
  isDescending: boolean;
}

export interface DataTableProps<T> {
  label: string;
  rows: readonly T[];
  columns: ColumnDef<T>[];
  rowId: (row: T) => string;
  rowHeight: number;
  /** The row on a narrow screen, and its height. */
  card: { height: number; render: (row: T) => ReactNode };
  visibility?: VisibilityState;
  sort?: Sort;
  onSort?: (column: string) => void;
  onOpen?: (row: T) => void;
  /** The one that is open beside the table. */
  openId?: string | undefined;
  rowClassName?: (row: T) => string | undefined;
  /** Called when the end comes near. */
  onEnd?: () => void;
  /** In place of rows when there are none. */
  empty: ReactNode;
  /** Below the last row. */
  footer?: ReactNode;
  /** Told whether the reader is at the top. */
  onTop?: (isAtTop: boolean) => void;
  scrollToTop?: number;
  className?: string;
}

const OVERSCAN = 12;
/** On both sides of a row, beside its columns. */
const ROW_PADDING = "3rem";

export function DataTable<T>(props: DataTableProps<T>) {
  const { rows, columns, rowId, rowHeight, card, visibility, onEnd, onOpen, onTop, scrollToTop } = props;
  const isNarrow = useIsNarrow();
  const scroller = useRef<HTMLDivElement>(null);
  const height = isNarrow ? card.height : rowHeight;
  // The same function as long as the rows are: with another one the places of all rows are worked out anew, for each frame.
  const keyOf = useCallback(
    (index: number) => {
      const row = rows[index];
      return row ? rowId(row) : index;
    },
    [rows, rowId],
  );
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: keyOf,
    overscan: OVERSCAN,
  });
  useEffect(() => virtual.measure(), [virtual, height]);
  useEffect(() => {
    if (scrollToTop) scroller.current?.scrollTo({ top: 0 });
  }, [scrollToTop]);

  const items = virtual.getVirtualItems();
  const start = items[0]?.index ?? 0;
  const end = (items.at(-1)?.index ?? -1) + 1;
  const inSight = useMemo(() => rows.slice(start, end), [rows, start, end]);
  const table = useReactTable({
    data: inSight,
    columns,
    getRowId: rowId,
    getCoreRowModel: getCoreRowModel(),
    state: { columnVisibility: visibility ?? {} },
    manualSorting: true,
  });
  useEffect(() => {
    if (end > 0 && end >= rows.length - OVERSCAN) onEnd?.();
  }, [end, rows.length, onEnd]);

  const shown = table.getVisibleLeafColumns();
  const template = shown.map((column) => (column.columnDef.meta?.isFixed ? `${column.getSize()}px` : `minmax(${column.getSize()}px, ${column.getSize()}fr)`)).join(" ");
  const width = shown.reduce((sum, column) => sum + column.getSize(), 0);
  const goTo = (index: number) => {
    if (index < 0 || index >= rows.length) return;
    virtual.scrollToIndex(index);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus({ preventScroll: true }));
  };
  const tableRows = table.getRowModel().rows;
  return (
    <div
      ref={scroller}
      onScroll={(event) => onTop?.(event.currentTarget.scrollTop < height)}
      className={cn("relative min-h-0 flex-1 overflow-auto overscroll-contain", props.className)}
    >
      {rows.length === 0 ? (
        props.empty
      ) : (
        <div role="table" aria-label={props.label} aria-rowcount={rows.length + 1} style={isNarrow ? undefined : { minWidth: `calc(${width}px + ${ROW_PADDING})` }}>
          {!isNarrow && <HeaderRow headers={table.getFlatHeaders()} template={template} sort={props.sort} onSort={props.onSort} />}
          <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => {
              const row = tableRows[item.index - start];
              if (!row) return null;
              return (
                <BodyRow
                  key={item.key}
                  row={row}
                  columns={columns}
                  index={item.index}
                  top={item.start}
                  height={height}
                  template={template}
                  card={isNarrow ? card.render : undefined}
                  isOpen={props.openId === row.id}
                  className={props.rowClassName?.(row.original)}
                  onOpen={onOpen}
                  onKeyDown={(event) => walk(event, item.index, goTo)}
                />
              );
            })}
          </div>
        </div>
      )}
      {props.footer}
    </div>
  );
}

const STEPS: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 15, PageUp: -15 };

function walk(event: KeyboardEvent, index: number, goTo: (index: number) => void): void {
  const step = STEPS[event.key];
  if (step === undefined || event.target !== event.currentTarget || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  goTo(index + step);
}
