// The columns of the request log, and the card a phone gets in their place.
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";

import { type Names, useNames } from "@/api/names";
import type { RequestRow } from "@/api/requests";
import { useIsAdmin } from "@/api/session";
import type { Said } from "@/components/data-table-row";
import { ClockTime } from "@/components/time";
import { cn } from "@/lib/cn";
import { type Format, useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { createStored } from "@/lib/store";

import { messages } from "./messages";
import { StatusBadge } from "./status";

type Words = ReturnType<typeof useMessages<(typeof messages)["en"]>>;

interface CellSpec {
  size: number;
  isFixed?: boolean;
  isNumber?: boolean;
  said: (row: RequestRow) => Said;
  tip?: (row: RequestRow) => string | undefined;
}

const NONE = "–";
const SOFT = "text-muted-foreground";
const SOFT_NUMBER = "text-muted-foreground tabular-nums";
const CODE = "font-mono text-xs";

export const COLUMN_IDS = [
  "time", "status", "model", "user", "key", "provider", "endpoint", "session", "client", "address", "tokens", "cache", "cost", "ttft", "duration", "overhead",
] as const;
export type ColumnId = (typeof COLUMN_IDS)[number];

/** A row without them says nothing. */
export const ALWAYS: readonly ColumnId[] = ["time", "status", "model"];
const HIDDEN_AT_FIRST: readonly ColumnId[] = ["key", "session", "client", "address", "overhead", "endpoint"];
const FOR_ADMINS: readonly ColumnId[] = ["provider", "user"];

/** The reader's choice, kept in the browser. */
export const hiddenColumns = createStored<readonly ColumnId[]>("requests.hidden", (stored) =>
  Array.isArray(stored) ? COLUMN_IDS.filter((id) => stored.includes(id) && !ALWAYS.includes(id)) : HIDDEN_AT_FIRST,
);

export function useColumns(): ColumnDef<RequestRow>[] {
  const t = useMessages(messages);
  const format = useFormat();
  const names = useNames();
  const isAdmin = useIsAdmin();
  return useMemo(() => {
    const cells: Record<ColumnId, CellSpec> = {
      time: { size: 92, said: (row) => ({ text: format.clock(row.createdAt), look: SOFT_NUMBER }), tip: (row) => `${format.exact(row.createdAt)} · ${format.relative(row.createdAt)}` },
      status: { size: 64, isFixed: true, said: (row) => ({ text: <StatusBadge status={row.status} /> }), tip: (row) => row.errorCode ?? undefined },
      model: { size: 176, said: model, tip: (row) => modelTip(row, t) },
      user: { size: 116, ...plain((row) => names.user(row.userId), t.notAuthenticated) },
      key: { size: 110, ...plain((row) => names.key(row.keyId)) },
      provider: { size: 132, ...plain((row) => providerName(names, row.providerId)) },
      endpoint: { size: 190, ...plain((row) => row.endpoint, NONE, CODE) },
      session: { size: 110, ...plain((row) => row.sessionId, NONE, CODE) },
      client: { size: 130, ...plain((row) => row.userAgent) },
      address: { size: 110, ...plain((row) => row.clientIp, NONE, CODE) },
      tokens: { size: 100, isNumber: true, said: (row) => orNone(tokens(row, format)), tip: (row) => tokensTip(row, format, t) },
      cache: { size: 68, isNumber: true, said: (row) => orNone(cached(row, format)), tip: (row) => format.count(row.usage.cacheReadTokens) },
      cost: { size: 76, isNumber: true, said: (row) => cost(row, format), tip: (row) => costTip(row, t) },
      ttft: { size: 84, isNumber: true, said: (row) => orNone(millis(row.ttftMs, format)) },
      duration: { size: 80, isNumber: true, said: (row) => orNone(millis(row.durationMs, format)) },
      overhead: { size: 80, isNumber: true, said: (row) => orNone(millis(row.overheadMs, format)) },
    };
    return COLUMN_IDS.filter((id) => isAdmin || !FOR_ADMINS.includes(id)).map((id) => {
      const { size, ...meta } = cells[id];
      return { id, header: t.columns[id], size, meta };
    });
  }, [t, format, names, isAdmin]);
}

/** `text`, or in its place what stands for nothing; all of it on hover. */
function plain(text: (row: RequestRow) => string | null | undefined, none: string = NONE, look?: string): Pick<CellSpec, "said" | "tip"> {
  return {
    said: (row) => {
      const said = text(row);
      return said ? { text: said, look } : { text: none, look: SOFT };
    },
    tip: (row) => text(row) ?? undefined,
  };
}

const orNone = (text: string | null): Said => (text === null ? { text: NONE, look: SOFT } : { text });

export function providerName(names: Names, id: number | null | undefined): string | undefined {
  return names.provider(id)?.name ?? (id ? `#${id}` : undefined);
}

function model(row: RequestRow): Said {
  const asked = row.requestedModel;
  const sent = row.model;
  if (!asked && !sent) return { text: row.endpoint, look: CODE };
  if (!asked || !sent || asked === sent) return { text: asked ?? sent, look: "font-medium" };
  return { text: <>{asked}<span className="font-normal text-muted-foreground"> → {sent}</span></>, look: "font-medium" };
}

function modelTip({ requestedModel: asked, model: sent, endpoint }: RequestRow, t: Words): string {
  return asked && sent && asked !== sent ? t.redirected(asked, sent) : (asked ?? sent ?? endpoint);
}

const prompt = ({ usage }: RequestRow) => usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;

function tokens(row: RequestRow, format: Format): string | null {
  const [input, output] = [prompt(row), row.usage.outputTokens];
  if (input + output === 0) return null;
  return `${row.settledFrom === "terminal" ? "" : "≈ "}${format.compact(input)} / ${format.compact(output)}`;
}

function tokensTip(row: RequestRow, format: Format, t: Words): string {
  const how = t.settled[row.settledFrom as keyof typeof t.settled] ?? row.settledFrom;
  return `${format.count(prompt(row))} / ${format.count(row.usage.outputTokens)} · ${how}`;
}

function cached(row: RequestRow, format: Format): string | null {
  const all = prompt(row);
  return all === 0 || row.usage.cacheReadTokens === 0 ? null : format.percent(row.usage.cacheReadTokens / all);
}

const isUnpriced = ({ costUsd, settledFrom }: RequestRow) => (costUsd === null || costUsd === undefined) && settledFrom !== "none";

function cost(row: RequestRow, format: Format): Said {
  if (row.costUsd !== null && row.costUsd !== undefined) return { text: format.usd(row.costUsd) };
  return isUnpriced(row) ? { text: "?", look: "text-warn" } : orNone(null);
}

function costTip(row: RequestRow, t: Words): string | undefined {
  if (isUnpriced(row)) return t.unpriced;
  return row.costUsd ? `${row.costUsd} USD` : undefined;
}

const millis = (value: number | null | undefined, format: Format) => (value === null || value === undefined ? null : format.ms(value));

export const CARD_HEIGHT = 68;

export function RequestCard({ row }: { row: RequestRow }) {
  const t = useMessages(messages);
  const format = useFormat();
  const names = useNames();
  const asked = model(row);
  const spent = cost(row, format);
  return (
    <div className="space-y-1">
      <div className="flex items-center gap-2">
        <StatusBadge status={row.status} code={row.errorCode} />
        <span className={cn("min-w-0 flex-1 truncate", asked.look)}>{asked.text}</span>
        <span title={costTip(row, t)} className={spent.look}>{spent.text}</span>
      </div>
      <div className="flex items-center gap-2 text-xs text-muted-foreground tabular-nums">
        <ClockTime value={row.createdAt} />
        <span className="min-w-0 flex-1 truncate">{[names.user(row.userId), providerName(names, row.providerId)].filter(Boolean).join(" · ")}</span>
        <span>{tokens(row, format) ?? NONE}</span>
        <span>{format.ms(row.durationMs)}</span>
      </div>
    </div>
  );
}
