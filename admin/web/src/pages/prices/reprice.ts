// Pricing history again goes on call by call until all is done; this adds the calls up.
import type { RepriceReport } from "@/api/prices";

export interface Progress {
  lines: number;
  /** Of how many; null until the first call has counted them. */
  total: number | null;
  changed: number;
  unpriced: number;
  before: number;
  after: number;
}

export const NO_PROGRESS: Progress = { lines: 0, total: null, changed: 0, unpriced: 0, before: 0, after: 0 };

export function added(progress: Progress, report: Pick<RepriceReport, "lines" | "totalLines" | "changed" | "unpriced" | "beforeUsd" | "afterUsd">): Progress {
  return {
    lines: progress.lines + report.lines,
    total: report.totalLines ?? progress.total,
    changed: progress.changed + report.changed,
    unpriced: progress.unpriced + report.unpriced,
    before: progress.before + Number(report.beforeUsd),
    after: progress.after + Number(report.afterUsd),
  };
}

/** Calls until there is no more, telling how far it is. Ends early when told to stop; says whether it came to the end. */
export async function repriceAll(
  call: (cursor: string | undefined) => Promise<RepriceReport>,
  onProgress: (progress: Progress) => void,
  stop: AbortSignal,
): Promise<boolean> {
  let progress = NO_PROGRESS;
  let cursor: string | undefined;
  do {
    const report = await call(cursor);
    progress = added(progress, report);
    onProgress(progress);
    cursor = report.nextCursor ?? undefined;
  } while (cursor && !stop.aborted);
  return !cursor;
}
