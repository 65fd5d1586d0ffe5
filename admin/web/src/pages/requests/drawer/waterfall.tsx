// When what happened: a line for each attempt, on the request's own time.
import type { Attempt, RequestDetail } from "@/api/requests";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { drawerMessages } from "./messages";

interface Segment {
  kind: "overhead" | "waiting" | "thinking" | "content";
  /** Milliseconds from the request's arrival. */
  from: number;
  to: number;
}

interface Line {
  name: string;
  segments: readonly Segment[];
  isFailed: boolean;
  end: number;
}

const LOOK: Record<Segment["kind"], string> = {
  overhead: "bg-muted-foreground/60",
  waiting: "bg-chart-1/25",
  thinking: "bg-chart-1/55",
  content: "bg-chart-1",
};
const FAILED = "bg-bad/70";
const TICKS = [0, 0.25, 0.5, 0.75, 1];

export function segmentsOf(attempt: Attempt): Segment[] {
  const start = (attempt.startedUs ?? 0) / 1000;
  const end = start + (attempt.durationMs ?? 0);
  const byte = attempt.ttfbMs === null || attempt.ttfbMs === undefined ? end : Math.min(end, start + attempt.ttfbMs);
  const content = attempt.ttftMs === null || attempt.ttftMs === undefined ? end : Math.min(end, Math.max(byte, start + attempt.ttftMs));
  const all: Segment[] = [
    { kind: "waiting", from: start, to: byte },
    { kind: "thinking", from: byte, to: content },
    { kind: "content", from: content, to: end },
  ];
  return all.filter((segment) => segment.to > segment.from);
}

export function Waterfall({ request }: { request: RequestDetail }) {
  const t = useMessages(drawerMessages);
  const format = useFormat();
  const attempts = request.chain.filter((attempt) => attempt.providerId !== null);
  const lines: Line[] = attempts.map((attempt, index) => {
    const segments = segmentsOf(attempt);
    return {
      name: attempt.providerName ?? t.sections.attempt(attempt.attempt ?? index + 1),
      segments,
      isFailed: attempt.outcome === "failed" || attempt.outcome === "cut",
      end: segments.at(-1)?.to ?? 0,
    };
  });
  if (lines.length === 0) lines.push(wholeRequest(request, t.sections.gateway));
  const total = Math.max(request.durationMs, ...lines.map((line) => line.end), 1);
  const share = (ms: number) => `${(ms / total) * 100}%`;
  return (
    <figure>
      <div className="grid grid-cols-[minmax(5rem,9rem)_1fr] gap-x-3 text-xs">
        <span />
        <div aria-hidden className="relative h-5 text-2xs text-muted-foreground tabular-nums">
          {TICKS.map((tick) => (
            <span key={tick} className={cn("absolute", tick === 1 ? "right-0" : tick === 0 ? "left-0" : "-translate-x-1/2", tick % 0.5 !== 0 && "max-sm:hidden")} style={tick > 0 && tick < 1 ? { left: share(tick * total) } : undefined}>
              {format.ms(tick * total)}
            </span>
          ))}
        </div>
        {lines.map((line, index) => (
          <LineRow key={index} line={line} share={share} overheadMs={index === 0 ? request.overheadMs : 0} />
        ))}
      </div>
      <figcaption className="mt-2.5 flex flex-wrap gap-x-4 gap-y-1 text-2xs text-muted-foreground">
        {(["overhead", "waiting", "thinking", "content"] as const).map((kind) => (
          <span key={kind} className="inline-flex items-center gap-1.5">
            <span aria-hidden className={cn("size-2 rounded-xs", LOOK[kind])} />
            {t.legend[kind]}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function LineRow({ line, share, overheadMs }: { line: Line; share: (ms: number) => string; overheadMs: number }) {
  const t = useMessages(drawerMessages);
  const format = useFormat();
  const words = line.segments.map((segment) => `${t.legend[segment.kind]}: ${format.ms(segment.to - segment.from)}`).join(" · ");
  return (
    <>
      <span className="flex h-7 items-center truncate" title={line.name}>
        <span className="truncate">{line.name}</span>
      </span>
      <div role="img" aria-label={`${line.name}. ${words}`} title={words} className="relative h-7 border-l bg-[linear-gradient(to_right,var(--border)_1px,transparent_1px)] bg-[size:25%_100%]">
        {overheadMs > 0 && <span className={cn("absolute top-2 h-3 min-w-px", LOOK.overhead)} style={{ left: 0, width: share(overheadMs) }} />}
        {line.segments.map((segment, index) => (
          <span
            key={segment.kind}
            className={cn("absolute top-2 h-3 min-w-0.5", line.isFailed ? FAILED : LOOK[segment.kind], index === 0 && "rounded-l-xs", index === line.segments.length - 1 && "rounded-r-xs")}
            style={{ left: share(segment.from), width: share(segment.to - segment.from) }}
          />
        ))}
      </div>
    </>
  );
}

/** What is known without a chain. */
function wholeRequest(request: RequestDetail, name: string): Line {
  const attempt = { startedUs: request.overheadMs * 1000, durationMs: request.durationMs - request.overheadMs, ttfbMs: request.ttfbMs, ttftMs: request.ttftMs };
  const segments = segmentsOf({ ...attempt, edits: [] });
  return { name, segments, isFailed: request.status >= 400, end: request.durationMs };
}
