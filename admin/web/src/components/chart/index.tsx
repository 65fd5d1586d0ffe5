// A chart, whose code comes when the first one is drawn.
import { type ComponentProps, Suspense, lazy } from "react";

import { Skeleton } from "@/components/ui/skeleton";

const Bars = lazy(() => import("./bars"));

export function BarChart(props: ComponentProps<typeof Bars>) {
  return (
    <Suspense fallback={<ChartSkeleton height={props.height} />}>
      <Bars {...props} />
    </Suspense>
  );
}

const HEIGHTS = [30, 42, 38, 55, 62, 48, 70, 84, 66, 74, 58, 44, 52, 63, 80, 71, 49, 36];

export function ChartSkeleton({ height }: { height: number }) {
  return (
    <div aria-busy className="flex items-end gap-[1.5%] pb-7 pl-14" style={{ height }}>
      {HEIGHTS.map((share, index) => (
        <span key={index} className="flex h-full flex-1 items-end">
          <Skeleton className="w-full rounded-sm" style={{ height: `${share}%` }} />
        </span>
      ))}
    </div>
  );
}
