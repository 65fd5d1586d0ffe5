// The columns of the table of users, and the card a phone gets in their place.
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { ShieldIcon } from "lucide-react";
import { useMemo } from "react";

import { type User, userLimitsQuery } from "@/api/users";
import { Meter, toneOf } from "@/components/meter";
import { RelativeTime } from "@/components/time";
import { Badge } from "@/components/ui/badge";
import { Tooltip } from "@/components/ui/popover";
import { Skeleton } from "@/components/ui/skeleton";
import { Switch } from "@/components/ui/switch";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { UserActions, useEnable } from "./actions";
import { LIMITS, splitGroups } from "./form/values";
import { shareOf, tightest } from "./limits";
import { messages } from "./messages";
import { type UserRow, expiryOf } from "./rows";
import { SelectAll, SelectBox } from "./selection";

/** `ids` are those in the table, for choosing them all. */
export function useColumns(ids: readonly number[]): ColumnDef<UserRow>[] {
  const { columns: c } = useMessages(messages);
  return useMemo<ColumnDef<UserRow>[]>(
    () => [
      { id: "select", header: () => <SelectAll ids={ids} />, size: 40, meta: { isFixed: true }, cell: ({ row }) => <SelectBox user={row.original.user} /> },
      { id: "name", header: c.name, size: 216, enableSorting: true, cell: ({ row }) => <NameCell user={row.original.user} /> },
      { id: "groups", header: c.groups, size: 100, cell: ({ row }) => <Groups user={row.original.user} /> },
      { id: "limits", header: c.limits, size: 176, cell: ({ row }) => <LimitCell user={row.original.user} /> },
      { id: "expires", header: c.expires, size: 84, enableSorting: true, cell: ({ row }) => <ExpiryWord time={row.original.user.expiresAt} /> },
      { id: "keys", header: c.keys, size: 56, enableSorting: true, meta: { isNumber: true, isFixed: true }, cell: ({ row }) => <KeyCount row={row.original} /> },
      { id: "requests", header: c.requests, size: 104, enableSorting: true, meta: { isNumber: true }, cell: ({ row }) => <Requests row={row.original} /> },
      { id: "cost", header: c.cost, size: 88, enableSorting: true, meta: { isNumber: true }, cell: ({ row }) => <Cost row={row.original} /> },
      { id: "isEnabled", header: c.isEnabled, size: 56, enableSorting: true, meta: { isFixed: true }, cell: ({ row }) => <EnabledSwitch user={row.original.user} /> },
      { id: "actions", header: c.actions, size: 44, meta: { isFixed: true, label: c.actions }, cell: ({ row }) => <UserActions user={row.original.user} keys={row.original.keys.length} /> },
    ],
    [c, ids],
  );
}

const HUES = ["chart-1", "chart-2", "chart-3", "chart-4", "chart-5", "chart-6", "chart-7"] as const;

/** The first letter on a colour that stays the user's own. */
export function Avatar({ user, className }: { user: Pick<User, "id" | "name">; className?: string }) {
  const hue = `var(--${HUES[user.id % HUES.length] ?? "chart-1"})`;
  return (
    <span
      translate="no"
      aria-hidden
      className={cn("flex size-8 shrink-0 items-center justify-center rounded-full text-xs font-semibold uppercase", className)}
      style={{ background: `color-mix(in oklab, ${hue} 15%, transparent)`, color: `color-mix(in oklab, ${hue}, var(--foreground) 50%)` }}
    >
      {Array.from(user.name)[0]}
    </span>
  );
}

function NameCell({ user }: { user: User }) {
  const t = useMessages(messages);
  return (
    <div className={cn("flex min-w-0 items-center gap-3", !user.isEnabled && "text-muted-foreground *:first:grayscale")}>
      <Avatar user={user} />
      <div className="min-w-0">
        <p className="flex items-center gap-1.5 leading-5 font-medium">
          <span className="truncate">{user.name}</span>
          {user.role === "admin" && (
            <Tooltip content={t.admin}>
              <span tabIndex={0} role="img" aria-label={t.admin} className="rounded text-accent">
                <ShieldIcon aria-hidden className="size-3.5" />
              </span>
            </Tooltip>
          )}
        </p>
        <p className="truncate text-xs leading-4 text-muted-foreground">{user.tags.length > 0 ? user.tags.map((tag) => `#${tag}`).join("  ") : user.note || "–"}</p>
      </div>
    </div>
  );
}

function KeyCount({ row: { keys } }: { row: UserRow }) {
  return <span className={keys.length === 0 ? "text-muted-foreground" : undefined}>{keys.length}</span>;
}

function Groups({ user }: { user: User }) {
  const names = splitGroups(user.providerGroup);
  const [first, ...more] = names;
  if (first === undefined) return <span className="text-xs text-muted-foreground">default</span>;
  return (
    <span className="flex min-w-0 gap-1" title={names.join(", ")}>
      <Badge className="min-w-0 shrink"><span className="truncate">{first}</span></Badge>
      {more.length > 0 && <Badge>+{more.length}</Badge>}
    </span>
  );
}

const TEXT = { ok: "text-muted-foreground", warn: "text-warn", bad: "text-bad" } as const;

/** The limit that will refuse first. Asked for only while the row is in sight, and only of those who have limits. */
function LimitCell({ user }: { user: User }) {
  const t = useMessages(messages);
  const format = useFormat();
  const isLimited = LIMITS.some((name) => user[name] !== null && user[name] !== undefined);
  const query = useQuery({ ...userLimitsQuery(user.id), enabled: isLimited });
  if (!isLimited) return <span className="text-xs text-muted-foreground">–</span>;
  const gauge = query.data && tightest(query.data);
  if (!gauge) return <Skeleton className="h-1.5 w-full" />;
  const share = shareOf(gauge);
  const show = gauge.isMoney ? format.usd : format.count;
  const label = `${t.limitNames[gauge.name]}: ${show(gauge.current ?? 0)} / ${show(gauge.limit ?? 0)}`;
  return (
    <span className="min-w-0 flex-1 pr-3" title={label}>
      <span className="flex items-baseline justify-between gap-2 text-xs leading-4 tabular-nums">
        <span className="truncate text-muted-foreground">{t.limitNames[gauge.name]}</span>
        <span className={cn("shrink-0", TEXT[toneOf(share)])}>
          {show(gauge.current ?? 0)} / {show(gauge.limit ?? 0)}
        </span>
      </span>
      <Meter share={share} label={label} className="mt-1 h-1" />
    </span>
  );
}

function Requests({ row }: { row: UserRow }) {
  const format = useFormat();
  return row.usage ? format.count(row.usage.requests) : <None />;
}

function Cost({ row }: { row: UserRow }) {
  const format = useFormat();
  return row.usage ? format.usd(row.usage.costUsd) : <None />;
}

function None() {
  return <span className="text-muted-foreground">–</span>;
}

/** When the time ends: a word, and a colour where it matters. */
export function ExpiryWord({ time }: { time: string | null | undefined }) {
  const t = useMessages(messages);
  if (!time) return <span className="text-xs text-muted-foreground">{t.never}</span>;
  const expiry = expiryOf(time);
  if (expiry === "over") return <Badge tone="bad">{t.over}</Badge>;
  return <RelativeTime value={time} className={expiry === "soon" ? "text-warn" : undefined} />;
}

function EnabledSwitch({ user }: { user: User }) {
  const t = useMessages(messages);
  const enable = useEnable();
  return <Switch aria-label={t.enabledOf(user.name)} checked={user.isEnabled} onCheckedChange={(isEnabled) => enable(user, isEnabled)} />;
}

export const CARD_HEIGHT = 96;

export function UserCard({ row }: { row: UserRow }) {
  const format = useFormat();
  const t = useMessages(messages);
  const { user, keys, usage } = row;
  return (
    <div className="space-y-2">
      <div className="flex items-center gap-3">
        <div className="min-w-0 flex-1">
          <NameCell user={user} />
        </div>
        <EnabledSwitch user={user} />
        <UserActions user={user} keys={keys.length} />
      </div>
      <div className="flex items-center gap-3 pl-11 text-xs text-muted-foreground tabular-nums">
        <span className="min-w-0 flex-1"><LimitCell user={user} /></span>
        {user.expiresAt && <ExpiryWord time={user.expiresAt} />}
        <span title={t.columns.cost}>{format.usd(usage?.costUsd ?? 0)}</span>
      </div>
    </div>
  );
}
