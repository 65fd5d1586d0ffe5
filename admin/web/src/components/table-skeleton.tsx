// Rows that are about to come.
import { Skeleton } from "./ui/skeleton";

export function TableSkeleton({ rowHeight, rows = 12 }: { rowHeight: number; rows?: number }) {
  return (
    <div aria-busy className="px-4 md:px-6">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="flex items-center gap-6 border-b border-border/60" style={{ height: rowHeight }}>
          <Skeleton className="h-3.5 w-1/4" />
          <Skeleton className="h-3.5 w-1/6" />
          <Skeleton className="h-3.5 flex-1" />
          <Skeleton className="h-3.5 w-16" />
        </div>
      ))}
    </div>
  );
}
