// A table that draws only the rows in sight, of however many there are.
//
// The table's row model is made of that window alone, so that neither memory nor time grows with what was loaded. Rows can be walked
// with the arrow keys or j and k. Narrow screens get cards instead of columns.
//
// What a frame costs while one scrolls is what its new rows cost, so a row is kept cheap: its height is fixed and its layout its own
// (`contain: strict`), it is moved by a transform, a cell of text is one element (`said`), tips are made when the pointer comes, by one
// listener for all, and few rows are drawn that nobody sees: those ahead of one who scrolls, hardly any where one leaps to.
import { type ColumnDef, type RowData, type VisibilityState, getCoreRowModel, useReactTable } from "@tanstack/react-table";
import { type Virtualizer, useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type PointerEvent, type ReactNode, useCallback, useEffect, useMemo, useRef } from "react";

import { cn } from "@/lib/cn";
import { useIsNarrow } from "@/lib/media";

import { HeaderRow } from "./data-table-header";
import { BodyRow, type Said } from "./data-table-row";

declare module "@tanstack/react-table" {
  // eslint-disable-next-line -- the names are the library's
  interface ColumnMeta<TData extends RowData, TValue> {
    /** Numbers stand at the end of their cell. */
    isNumber?: boolean;
    /** Takes no part of the room that is left over. */
    isFixed?: boolean;
    /** The name where the header is no text. */
    label?: string;
    /** What stands in the cell, in place of `cell`, where it is nothing but text. */
    said?: (row: TData) => Said;
    /** What is told of such a cell while the pointer is on it. */
    tip?: (row: TData) => string | undefined;
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

/** Rows drawn on both sides of those in sight: at rest; ahead of and behind one who scrolls; around where one leaps to. */
const MARGIN = { rest: 10, ahead: 10, behind: 2, leap: 1 };
/** So near the last row, more are asked for. */
const NEAR_END = 12;
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
  const instance = useRef<Virtualizer<HTMLDivElement, Element>>(null);
  const { isScrolling = false, scrollDirection } = instance.current ?? {};
  const drawn = useRef({ start: 0, end: -1 });
  const extract = useCallback(
    ({ startIndex, endIndex, count: all }: { startIndex: number; endIndex: number; count: number }) => {
      const isLeap = startIndex > drawn.current.end || endIndex < drawn.current.start;
      const [before, after] = margins(isScrolling, isLeap, scrollDirection);
      const start = Math.max(0, startIndex - before);
      const end = Math.min(all - 1, endIndex + after);
      drawn.current = { start, end };
      return Array.from({ length: end - start + 1 }, (_, at) => start + at);
    },
    [isScrolling, scrollDirection],
  );
  const virtual = useVirtualizer<HTMLDivElement, Element>({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: keyOf,
    rangeExtractor: extract,
  });
  instance.current = virtual;
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
    if (end > 0 && end >= rows.length - NEAR_END) onEnd?.();
  }, [end, rows.length, onEnd]);

  const shown = table.getVisibleLeafColumns();
  const template = shown.map((column) => (column.columnDef.meta?.isFixed ? `${column.getSize()}px` : `minmax(${column.getSize()}px, ${column.getSize()}fr)`)).join(" ");
  const width = shown.reduce((sum, column) => sum + column.getSize(), 0);
  const goTo = (index: number) => {
    if (index < 0 || index >= rows.length) return;
    virtual.scrollToIndex(index);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus({ preventScroll: true }));
  };
  const tell = (event: PointerEvent) => {
    const cell = event.target instanceof Element && event.target.closest<HTMLElement>("[role=cell]");
    if (!cell || !cell.parentElement) return;
    const row = rows[Number(cell.parentElement.dataset.index)];
    const tip = shown[[...cell.parentElement.children].indexOf(cell)]?.columnDef.meta?.tip;
    if (row && tip) cell.title = tip(row) ?? "";
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
          <div role="rowgroup" onPointerOver={tell} className="relative" style={{ height: virtual.getTotalSize() }}>
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

function margins(isScrolling: boolean, isLeap: boolean, direction: "forward" | "backward" | null | undefined): readonly [number, number] {
  if (!isScrolling) return [MARGIN.rest, MARGIN.rest];
  if (isLeap) return [MARGIN.leap, MARGIN.leap];
  return direction === "backward" ? [MARGIN.ahead, MARGIN.behind] : [MARGIN.behind, MARGIN.ahead];
}

const STEPS: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 15, PageUp: -15 };

function walk(event: KeyboardEvent, index: number, goTo: (index: number) => void): void {
  const step = STEPS[event.key];
  if (step === undefined || event.target !== event.currentTarget || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  goTo(index + step);
}
