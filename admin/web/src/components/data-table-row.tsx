// A row of a table, drawn anew only when what it shows has changed.
import { type Row, flexRender } from "@tanstack/react-table";
import { type KeyboardEvent, type MouseEvent, type ReactNode, memo } from "react";

/** A cell that is nothing but text: it needs no element beside its own. */
export interface Said {
  text: ReactNode;
  /** Classes of the cell. */
  look?: string;
}

interface Props<T> {
  row: Row<T>;
  /** What the cells are drawn by; other columns draw the row anew. */
  columns: readonly unknown[];
  index: number;
  top: number;
  height: number;
  template: string;
  card?: ((row: T) => ReactNode) | undefined;
  isOpen: boolean;
  className?: string | undefined;
  onOpen?: ((row: T) => void) | undefined;
  onKeyDown: (event: KeyboardEvent<HTMLDivElement>) => void;
}

/** A click on something that does something of its own does not open the row. */
function isOwnMatter(event: MouseEvent | KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("button,a,input,select,label,[role=switch],[role=menu],[role=dialog]") !== null;
}

function DrawnRow<T>({ row, index, top, height, template, card, isOpen, className, onOpen, onKeyDown }: Props<T>) {
  const open = (event: MouseEvent | KeyboardEvent) => {
    if (!isOwnMatter(event)) onOpen?.(row.original);
  };
  return (
    <div
      role="row"
      tabIndex={0}
      data-index={index}
      aria-rowindex={index + 2}
      aria-selected={isOpen || undefined}
      onClick={open}
      onKeyDown={(event) => {
        if (event.key === "Enter") open(event);
        else onKeyDown(event);
      }}
      className={`absolute inset-x-0 grid items-center border-b border-border/60 px-4 text-[0.8125rem] contain-strict -outline-offset-2 md:px-6 ${isOpen ? "bg-accent-soft" : onOpen ? "hover:bg-hover" : ""} ${onOpen ? "cursor-pointer" : ""} ${className ?? ""}`}
      style={{ height, transform: `translateY(${top}px)`, gridTemplateColumns: card ? "minmax(0, 1fr)" : template }}
    >
      {card ? (
        <div role="cell" className="min-w-0">
          {card(row.original)}
        </div>
      ) : (
        row.getVisibleCells().map((cell) => {
          const { cell: draw, meta } = cell.column.columnDef;
          const said = meta?.said?.(row.original);
          return said ? (
            <div key={cell.id} role="cell" className={`truncate px-2.5 ${meta?.isNumber ? "text-right tabular-nums" : ""} ${said.look ?? ""}`}>
              {said.text}
            </div>
          ) : (
            <div key={cell.id} role="cell" className={`flex min-w-0 items-center px-2.5 ${meta?.isNumber ? "justify-end tabular-nums" : ""}`}>
              {flexRender(draw, cell.getContext())}
            </div>
          );
        })
      )}
    </div>
  );
}

/** The row object is made anew with each window; what it stands for is what counts. */
export const BodyRow = memo(DrawnRow, (before, after) => {
  const isSame = <K extends keyof Props<unknown>>(key: K) => before[key] === after[key];
  return (
    before.row.original === after.row.original &&
    isSame("columns") && isSame("index") && isSame("top") && isSame("height") && isSame("template") && isSame("card") && isSame("isOpen") && isSame("className")
  );
}) as typeof DrawnRow;
