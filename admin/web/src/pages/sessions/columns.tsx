// The columns of the table of sessions, and the card a phone gets in their place.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ColumnDef } from "@tanstack/react-table";
import { CircleStopIcon, RouteIcon, ScrollTextIcon } from "lucide-react";
import { useMemo, useState } from "react";

import { providersQuery } from "@/api/providers";
import { useIsAdmin } from "@/api/session";
import { type ClientSession, useEndClientSession } from "@/api/sessions";
import { toast } from "@/app/toasts";
import { Confirm } from "@/components/confirm";
import { RowMenu } from "@/components/row-menu";
import { RelativeTime } from "@/components/time";
import { Badge, Dot } from "@/components/ui/badge";
import { MenuItem, MenuSeparator } from "@/components/ui/menu";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

export function useColumns(): ColumnDef<ClientSession>[] {
  const c = useMessages(messages).columns;
  const isAdmin = useIsAdmin();
  return useMemo<ColumnDef<ClientSession>[]>(() => {
    const columns: (ColumnDef<ClientSession> | false)[] = [
      { id: "session", header: c.session, size: 150, cell: ({ row }) => <SessionName session={row.original} /> },
      { id: "who", header: c.who, size: 120, cell: ({ row }) => <Who session={row.original} /> },
      { id: "model", header: c.model, size: 140, cell: ({ row }) => <span className="truncate font-mono text-xs">{row.original.model ?? "–"}</span> },
      isAdmin && { id: "provider", header: c.provider, size: 120, cell: ({ row }) => <ProviderName id={row.original.providerId} /> },
      { id: "now", header: c.inFlight, size: 88, cell: ({ row }) => <Now count={row.original.inFlight} /> },
      { id: "requests", header: c.requests, size: 80, meta: { isNumber: true }, cell: ({ row }) => <Count value={row.original.requests} /> },
      { id: "tokens", header: c.tokens, size: 72, meta: { isNumber: true }, cell: ({ row }) => <Compact value={row.original.tokens} /> },
      { id: "cost", header: c.cost, size: 76, meta: { isNumber: true }, cell: ({ row }) => <Cost value={row.original.costUsd} /> },
      { id: "seen", header: c.seen, size: 100, meta: { isNumber: true }, cell: ({ row }) => <RelativeTime value={row.original.lastSeenAt} className="text-muted-foreground" /> },
      { id: "actions", header: c.actions, size: 44, meta: { isFixed: true, label: c.actions }, cell: ({ row }) => <SessionActions session={row.original} /> },
    ];
    return columns.filter((column) => column !== false);
  }, [c, isAdmin]);
}

function SessionName({ session }: { session: ClientSession }) {
  const t = useMessages(messages);
  return (
    <div className="min-w-0">
      <p className="truncate font-mono text-xs leading-5" title={session.sessionId}>{session.sessionId}</p>
      <p className="truncate text-2xs text-muted-foreground">
        {session.protocol} · {t.started} <RelativeTime value={session.startedAt} />
      </p>
    </div>
  );
}

function Who({ session }: { session: ClientSession }) {
  return (
    <div className="min-w-0">
      <p className="truncate leading-5 font-medium">{session.userName}</p>
      <p className="truncate text-2xs text-muted-foreground">{session.keyName}</p>
    </div>
  );
}

function ProviderName({ id }: { id: number | null | undefined }) {
  const name = useQuery(providersQuery).data?.find((provider) => provider.id === id)?.name;
  return <span className="truncate">{name ?? "–"}</span>;
}

function Now({ count }: { count: number }) {
  const t = useMessages(messages);
  if (count === 0) return <span className="text-xs text-muted-foreground">{t.rest}</span>;
  return (
    <Badge tone="ok">
      <Dot tone="ok" isLive />
      {t.running(count)}
    </Badge>
  );
}

function Count({ value }: { value: number }) {
  return useFormat().count(value);
}

function Compact({ value }: { value: number }) {
  return useFormat().compact(value);
}

function Cost({ value }: { value: string }) {
  return useFormat().usd(value);
}

function SessionActions({ session }: { session: ClientSession }) {
  const t = useMessages(messages);
  const isAdmin = useIsAdmin();
  const navigate = useNavigate();
  const [isAsking, setIsAsking] = useState(false);
  const end = useEndClientSession();
  const { sessionId, inFlight, keyId, model } = session;
  const run = () =>
    end.mutate(sessionId, {
      onSuccess: ({ endedRequests }) => toast.done(t.ended(endedRequests)),
      onError: toast.failed,
      onSettled: () => setIsAsking(false),
    });
  return (
    <>
      <RowMenu label={t.actionsOf(sessionId)}>
        <MenuItem onSelect={() => void navigate({ to: "/requests", search: { session: sessionId } })}>
          <ScrollTextIcon /> {t.show}
        </MenuItem>
        {isAdmin && model && (
          <MenuItem onSelect={() => void navigate({ to: "/routing", search: { key: keyId, model, session: sessionId } })}>
            <RouteIcon /> {t.explain}
          </MenuItem>
        )}
        <MenuSeparator />
        <MenuItem isDanger disabled={inFlight === 0} onSelect={() => setIsAsking(true)}>
          <CircleStopIcon /> {t.end}
        </MenuItem>
      </RowMenu>
      {isAsking && <Confirm title={t.endTitle} text={t.endText(inFlight)} action={t.end} isPending={end.isPending} onConfirm={run} onClose={() => setIsAsking(false)} />}
    </>
  );
}

export const CARD_HEIGHT = 84;

export function SessionCard({ session }: { session: ClientSession }) {
  const format = useFormat();
  return (
    <div className="flex items-center gap-3">
      <div className="min-w-0 flex-1 space-y-1">
        <p className="flex items-center gap-2">
          <span className="min-w-0 flex-1 truncate font-medium">{session.userName} <span className="font-normal text-muted-foreground">{session.keyName}</span></span>
          <Now count={session.inFlight} />
        </p>
        <p className="truncate font-mono text-xs text-muted-foreground">{session.model ?? session.sessionId}</p>
        <p className="flex gap-3 text-xs text-muted-foreground tabular-nums">
          <span className="flex-1"><RelativeTime value={session.lastSeenAt} /></span>
          <span>{format.compact(session.tokens)}</span>
          <span>{format.usd(session.costUsd)}</span>
        </p>
      </div>
      <SessionActions session={session} />
    </div>
  );
}
