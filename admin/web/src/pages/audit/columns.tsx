// The columns of the audit, and the card a phone gets in their place.
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";

import type { AuditAction, AuditEntry } from "@/api/audit";
import { ClockTime } from "@/components/time";
import { Badge, type Tone } from "@/components/ui/badge";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

const TONES: Record<AuditAction, Tone> = {
  create: "ok", update: "accent", delete: "bad", rotate: "warn", reset: "warn", import: "accent", reprice: "accent", login: "neutral", logout: "neutral", "shut-out": "bad", backup: "accent", restore: "warn",
};

export function ActionBadge({ action }: { action: AuditAction | null | undefined }) {
  const t = useMessages(messages);
  return action ? <Badge tone={TONES[action]}>{t.actions[action]}</Badge> : <Badge>{t.unknownAction}</Badge>;
}

/** The kind of thing, in the reader's language where it is known. */
export function useResourceName(): (resource: string) => string {
  const { resources } = useMessages(messages);
  return (resource) => Object.entries(resources).find(([name]) => name === resource)?.[1] ?? resource;
}

export function useActorName(): (entry: AuditEntry) => string {
  const t = useMessages(messages);
  return ({ actor, action }) => actor.name || (action === "shut-out" ? t.nobody : t.adminToken);
}

export function useColumns(): ColumnDef<AuditEntry>[] {
  const c = useMessages(messages).columns;
  return useMemo<ColumnDef<AuditEntry>[]>(
    () => [
      { id: "at", header: c.at, size: 150, meta: { isFixed: true }, cell: ({ row }) => <ClockTime value={row.original.at} className="text-muted-foreground" /> },
      { id: "actor", header: c.actor, size: 170, cell: ({ row }) => <Actor entry={row.original} /> },
      { id: "action", header: c.action, size: 112, meta: { isFixed: true }, cell: ({ row }) => <ActionBadge action={row.original.action} /> },
      { id: "what", header: c.what, size: 240, cell: ({ row }) => <What entry={row.original} /> },
      { id: "changed", header: c.changed, size: 260, cell: ({ row }) => <Changed entry={row.original} /> },
    ],
    [c],
  );
}

function Actor({ entry }: { entry: AuditEntry }) {
  const name = useActorName()(entry);
  return <span className="truncate font-medium" title={entry.actor.peer ?? undefined}>{name}</span>;
}

/** As many letters of an id as it takes to tell it from the others. */
const ID_LETTERS = 8;
const isLongId = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

function What({ entry }: { entry: AuditEntry }) {
  const kind = useResourceName()(entry.resource);
  // There is one of them: its number says nothing.
  const whole = entry.resourceName || (entry.resource === "settings" ? "" : entry.resourceId);
  const name = isLongId.test(whole) ? whole.slice(0, ID_LETTERS) : whole;
  if (!name) return <span className="truncate">{kind}</span>;
  return (
    <span className="flex min-w-0 items-baseline gap-2">
      <span className="truncate" title={whole}>{name}</span>
      <span className="shrink-0 text-xs text-muted-foreground">{kind}</span>
    </span>
  );
}

const MOST = 3;

function Changed({ entry }: { entry: AuditEntry }) {
  const { changed } = entry;
  return (
    <span translate="no" className="flex min-w-0 gap-1 overflow-hidden" title={changed.join(", ")}>
      {changed.slice(0, MOST).map((name) => <Badge key={name} className="shrink font-mono font-normal"><span className="truncate">{name}</span></Badge>)}
      {changed.length > MOST && <Badge>+{changed.length - MOST}</Badge>}
    </span>
  );
}

export const CARD_HEIGHT = 84;

export function AuditCard({ entry }: { entry: AuditEntry }) {
  return (
    <div className="space-y-1">
      <div className="flex items-center gap-2">
        <ActionBadge action={entry.action} />
        <span className="min-w-0 flex-1"><What entry={entry} /></span>
      </div>
      <div className="flex items-center gap-2 text-xs text-muted-foreground">
        <span className="min-w-0 flex-1 truncate"><Actor entry={entry} /></span>
        <ClockTime value={entry.at} />
      </div>
      <p className="truncate font-mono text-2xs text-muted-foreground">{entry.changed.join(", ")}</p>
    </div>
  );
}
