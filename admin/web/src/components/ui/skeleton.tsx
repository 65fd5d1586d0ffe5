// What stands where something is about to be.
import type { CSSProperties } from "react";

import { cn } from "@/lib/cn";

export function Skeleton({ className, style }: { className?: string; style?: CSSProperties }) {
  return <span aria-hidden className={cn("block h-4 animate-pulse rounded bg-muted", className)} style={style} />;
}
