// A user beside the table: what was used, the limits, the keys, what may be asked for.
import { useQuery } from "@tanstack/react-query";
import { PencilIcon, PlusIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { Key } from "@/api/keys";
import { type User, userLimitsQuery, userUsageQuery } from "@/api/users";
import { RelativeTime } from "@/components/time";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog, SheetContent } from "@/components/ui/dialog";
import { Skeleton } from "@/components/ui/skeleton";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { UserActions } from "./actions";
import { Avatar, ExpiryWord } from "./columns";
import { splitGroups } from "./form/values";
import { KeyList } from "./key-list";
import { LimitList } from "./limits";
import { messages } from "./messages";

interface Props {
  user: User | undefined;
  keys: readonly Key[];
  onClose: () => void;
  onEdit: () => void;
  onEditKey: (key: Key) => void;
  onNewKey: () => void;
}

export function UserDetails({ user, keys, onClose, onEdit, onEditKey, onNewKey }: Props) {
  const t = useMessages(messages);
  return (
    <Dialog open={user !== undefined} onOpenChange={(open) => !open && onClose()}>
      {user && (
        <SheetContent title={<Title user={user} />}>
          <div className="mb-5 flex flex-wrap items-center gap-2">
            {user.tags.map((tag) => <Badge key={tag}>#{tag}</Badge>)}
            {!user.isEnabled && <Badge tone="warn">{t.off}</Badge>}
            {user.expiresAt && (
              <span className="text-xs text-muted-foreground">
                {t.columns.expires} <ExpiryWord time={user.expiresAt} />
              </span>
            )}
            <span className="ml-auto flex items-center gap-2">
              <Button size="small" onClick={onEdit}>
                <PencilIcon /> {t.edit}
              </Button>
              <UserActions user={user} keys={keys.length} />
            </span>
          </div>
          <Used id={user.id} />
          <Part title={t.limits} aside={user.limitsResetAt && <>{t.countedFrom} <RelativeTime value={user.limitsResetAt} /></>}>
            <UserLimits id={user.id} />
          </Part>
          <Part
            title={t.keys}
            aside={
              <Button size="small" onClick={onNewKey}>
                <PlusIcon /> {t.newKey}
              </Button>
            }
          >
            <KeyList keys={keys} onEdit={onEditKey} onCreate={onNewKey} />
          </Part>
          <Part title={t.access}>
            <Access user={user} />
          </Part>
        </SheetContent>
      )}
    </Dialog>
  );
}

function Title({ user }: { user: User }) {
  return (
    <span className="flex items-center gap-2.5">
      <Avatar user={user} className="size-7" />
      <span className="truncate">{user.name}</span>
    </span>
  );
}

function Part({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="mt-6">
      <header className="mb-2.5 flex min-h-7 items-center gap-2">
        <h3 className="flex-1 text-[0.8125rem] font-semibold">{title}</h3>
        {aside && <span className="text-xs text-muted-foreground">{aside}</span>}
      </header>
      {children}
    </section>
  );
}

function UserLimits({ id }: { id: number }) {
  return <LimitList usage={useQuery(userLimitsQuery(id)).data} />;
}

const SPANS = ["today", "week", "month", "total"] as const;

function Used({ id }: { id: number }) {
  const t = useMessages(messages);
  const format = useFormat();
  const { data } = useQuery(userUsageQuery(id));
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border bg-border sm:grid-cols-4">
      {SPANS.map((span) => (
        <div key={span} className="bg-surface px-3 py-2.5">
          <dt className="text-2xs text-muted-foreground">{t[span]}</dt>
          {data ? (
            <dd>
              <span className="block text-base leading-6 font-semibold tracking-tight tabular-nums">{format.usd(data[span].costUsd)}</span>
              <span className="block truncate text-2xs text-muted-foreground tabular-nums">{t.requestCount(format.compact(data[span].requests))}</span>
              <span className="block truncate text-2xs text-muted-foreground tabular-nums">{t.tokens(format.compact(data[span].totalTokens))}</span>
            </dd>
          ) : (
            <dd className="space-y-1.5 pt-1">
              <Skeleton className="h-5 w-16" />
              <Skeleton className="h-3 w-24" />
            </dd>
          )}
        </div>
      ))}
    </dl>
  );
}

function Access({ user }: { user: User }) {
  const t = useMessages(messages);
  const d = t.details;
  const list = (words: readonly string[], none: string) => (words.length > 0 ? words.join(", ") : none);
  const rows: [string, ReactNode][] = [
    [d.role, t.roles[user.role]],
    [d.groups, list(splitGroups(user.providerGroup), "default")],
    [d.models, list(user.allowedModels, d.everything)],
    [d.clients, list(user.allowedClients, d.everything)],
    [d.blocked, list(user.blockedClients, d.nobody)],
    [d.note, user.note || "–"],
    [d.created, <RelativeTime key="created" value={user.createdAt} />],
  ];
  return (
    <dl className="grid grid-cols-[8rem_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-[0.8125rem]">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted-foreground">{name}</dt>
          <dd className="break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
