// The columns of the request log, and the card a phone gets in their place.
import type { ColumnDef, DisplayColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";

import { type Names, useNames } from "@/api/names";
import type { RequestRow } from "@/api/requests";
import { useIsAdmin } from "@/api/session";
import { ClockTime } from "@/components/time";
import { cn } from "@/lib/cn";
import { type Format, useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { createStored } from "@/lib/store";

import { messages } from "./messages";
import { StatusBadge } from "./status";

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
    const cells: Record<ColumnId, Pick<DisplayColumnDef<RequestRow>, "size" | "meta" | "cell">> = {
      time: { size: 92, cell: ({ row }) => <ClockTime value={row.original.createdAt} className="text-muted-foreground" /> },
      status: { size: 64, meta: { isFixed: true }, cell: ({ row }) => <StatusBadge status={row.original.status} code={row.original.errorCode} /> },
      model: { size: 176, cell: ({ row }) => <ModelCell row={row.original} /> },
      user: { size: 116, cell: ({ row }) => <UserCell row={row.original} names={names} /> },
      key: { size: 110, cell: ({ row }) => <Text>{names.key(row.original.keyId)}</Text> },
      provider: { size: 132, cell: ({ row }) => <Text>{providerName(names, row.original.providerId)}</Text> },
      endpoint: { size: 190, cell: ({ row }) => <Text isCode>{row.original.endpoint}</Text> },
      session: { size: 110, cell: ({ row }) => <Text isCode>{row.original.sessionId}</Text> },
      client: { size: 130, cell: ({ row }) => <Text>{row.original.userAgent}</Text> },
      address: { size: 110, cell: ({ row }) => <Text isCode>{row.original.clientIp}</Text> },
      tokens: { size: 100, meta: { isNumber: true }, cell: ({ row }) => <Tokens row={row.original} format={format} /> },
      cache: { size: 68, meta: { isNumber: true }, cell: ({ row }) => <Cached row={row.original} format={format} /> },
      cost: { size: 76, meta: { isNumber: true }, cell: ({ row }) => <CostCell row={row.original} /> },
      ttft: { size: 84, meta: { isNumber: true }, cell: ({ row }) => <Millis value={row.original.ttftMs} format={format} /> },
      duration: { size: 80, meta: { isNumber: true }, cell: ({ row }) => <Millis value={row.original.durationMs} format={format} /> },
      overhead: { size: 80, meta: { isNumber: true }, cell: ({ row }) => <Millis value={row.original.overheadMs} format={format} /> },
    };
    return COLUMN_IDS.filter((id) => isAdmin || !FOR_ADMINS.includes(id)).map((id) => ({ ...cells[id], id, header: t.columns[id] }));
  }, [t, format, names, isAdmin]);
}

export function providerName(names: Names, id: number | null | undefined): string | undefined {
  return names.provider(id)?.name ?? (id ? `#${id}` : undefined);
}

function Text({ children, isCode }: { children: string | null | undefined; isCode?: boolean }) {
  if (!children) return <None />;
  return (
    <span title={children} className={cn("truncate", isCode && "font-mono text-xs")}>
      {children}
    </span>
  );
}

function None() {
  return <span className="text-muted-foreground">–</span>;
}

function ModelCell({ row }: { row: RequestRow }) {
  const t = useMessages(messages);
  const asked = row.requestedModel;
  const sent = row.model;
  if (!asked && !sent) return <Text isCode>{row.endpoint}</Text>;
  const isRedirected = asked && sent && asked !== sent;
  return (
    <span className="truncate font-medium" title={isRedirected ? t.redirected(asked, sent) : (asked ?? undefined)}>
      {asked ?? sent}
      {isRedirected && <span className="font-normal text-muted-foreground"> → {sent}</span>}
    </span>
  );
}

function UserCell({ row, names }: { row: RequestRow; names: Names }) {
  const t = useMessages(messages);
  const name = names.user(row.userId);
  return name ? <Text>{name}</Text> : <span className="truncate text-muted-foreground">{t.notAuthenticated}</span>;
}

const prompt = ({ usage }: RequestRow) => usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;

function Tokens({ row, format }: { row: RequestRow; format: Format }) {
  const t = useMessages(messages);
  const [input, output] = [prompt(row), row.usage.outputTokens];
  if (input + output === 0) return <None />;
  const isExact = row.settledFrom === "terminal";
  const how = t.settled[row.settledFrom as keyof typeof t.settled] ?? row.settledFrom;
  return (
    <span title={`${format.count(input)} / ${format.count(output)} · ${how}`}>
      {!isExact && "≈ "}
      {format.compact(input)} <span className="text-muted-foreground">/</span> {format.compact(output)}
    </span>
  );
}

function Cached({ row, format }: { row: RequestRow; format: Format }) {
  const all = prompt(row);
  if (all === 0 || row.usage.cacheReadTokens === 0) return <None />;
  return <span title={format.count(row.usage.cacheReadTokens)}>{format.percent(row.usage.cacheReadTokens / all)}</span>;
}

function CostCell({ row }: { row: RequestRow }) {
  const t = useMessages(messages);
  const format = useFormat();
  if (row.costUsd !== null && row.costUsd !== undefined) return <span title={`${row.costUsd} USD`}>{format.usd(row.costUsd)}</span>;
  if (row.settledFrom === "none") return <None />;
  return <span title={t.unpriced} className="text-warn">?</span>;
}

function Millis({ value, format }: { value: number | null | undefined; format: Format }) {
  return value === null || value === undefined ? <None /> : format.ms(value);
}

export const CARD_HEIGHT = 68;

export function RequestCard({ row }: { row: RequestRow }) {
  const format = useFormat();
  const names = useNames();
  return (
    <div className="space-y-1">
      <div className="flex items-center gap-2">
        <StatusBadge status={row.status} code={row.errorCode} />
        <span className="flex min-w-0 flex-1">
          <ModelCell row={row} />
        </span>
        <CostCell row={row} />
      </div>
      <div className="flex items-center gap-2 text-xs text-muted-foreground tabular-nums">
        <ClockTime value={row.createdAt} />
        <span className="min-w-0 flex-1 truncate">{[names.user(row.userId), providerName(names, row.providerId)].filter(Boolean).join(" · ")}</span>
        <Tokens row={row} format={format} />
        <span>{format.ms(row.durationMs)}</span>
      </div>
    </div>
  );
}
