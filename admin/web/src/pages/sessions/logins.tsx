// Who is logged in to the dashboard.
import { useQuery } from "@tanstack/react-query";
import { LogOutIcon, MonitorIcon } from "lucide-react";
import { useState } from "react";

import { type LoginSession, loginSessionsQuery, useEndLoginSession, useEndOtherLoginSessions } from "@/api/sessions";
import { toast } from "@/app/toasts";
import { Confirm } from "@/components/confirm";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { TableSkeleton } from "@/components/table-skeleton";
import { RelativeTime } from "@/components/time";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";
import { SessionTabs } from "./tabs";

export function Logins() {
  const t = useMessages(messages);
  const query = useQuery(loginSessionsQuery);
  const [isAsking, setIsAsking] = useState(false);
  const endOthers = useEndOtherLoginSessions();
  const run = () =>
    endOthers.mutate(undefined, {
      onSuccess: ({ ended }) => toast.done(t.login.othersDone(ended)),
      onError: toast.failed,
      onSettled: () => setIsAsking(false),
    });
  const sessions = [...(query.data ?? [])].sort((a, b) => Number(b.isCurrent) - Number(a.isCurrent) || (a.createdAt < b.createdAt ? 1 : -1));
  return (
    <>
      <PageHeader title={t.title} text={t.loginText}>
        {sessions.length > 1 && <Button onClick={() => setIsAsking(true)}>{t.login.others}</Button>}
        <SessionTabs />
      </PageHeader>
      <div className="px-4 pb-10 md:px-6">
        {query.isError ? (
          <QueryFailure query={query} />
        ) : query.isPending ? (
          <TableSkeleton rowHeight={60} rows={3} />
        ) : (
          <Card>
            <ul className="divide-y">
              {sessions.map((session) => <LoginRow key={session.id} session={session} />)}
            </ul>
          </Card>
        )}
      </div>
      {isAsking && <Confirm title={t.login.othersTitle} text={t.login.othersText} action={t.login.others} isPending={endOthers.isPending} onConfirm={run} onClose={() => setIsAsking(false)} />}
    </>
  );
}

/** `Firefox on Linux` of a long text; the text itself where it says neither. */
function browserOf(agent: string): string {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)\//.exec(agent)?.[1];
  const system = /Windows|Android|iPhone|iPad|Mac OS X|Linux/.exec(agent)?.[0];
  if (!browser) return agent;
  const name = browser === "Edg" ? "Edge" : browser === "OPR" ? "Opera" : browser;
  return system ? `${name} · ${system.replace(" OS X", "OS").replace("MacOS", "macOS")}` : name;
}

function LoginRow({ session }: { session: LoginSession }) {
  const t = useMessages(messages).login;
  const end = useEndLoginSession();
  const name = session.userName ? `${session.userName} · ${session.keyName ?? ""}` : t.admin;
  const run = () => end.mutate(session.id, { onSuccess: () => toast.done(t.done), onError: toast.failed });
  return (
    <li className="flex items-center gap-3 px-4 py-3">
      <span className="flex size-9 shrink-0 items-center justify-center rounded-lg bg-muted text-muted-foreground">
        <MonitorIcon aria-hidden className="size-4.5" />
      </span>
      <div className="min-w-0 flex-1">
        <p className="flex items-center gap-2 text-[0.8125rem] leading-5">
          <span className="truncate font-medium">{name}</span>
          {session.isCurrent && <Badge tone="ok">{t.current}</Badge>}
        </p>
        <p translate="no" className="truncate text-xs text-muted-foreground" title={session.userAgent ?? undefined}>
          {session.userAgent ? browserOf(session.userAgent) : t.browser}
          {session.peer && ` · ${session.peer}`}
        </p>
      </div>
      <p className="hidden shrink-0 text-right text-xs leading-5 text-muted-foreground sm:block">
        {t.opened} <RelativeTime value={session.createdAt} />
        <span className="block">
          {t.ends} <RelativeTime value={session.expiresAt} />
        </span>
      </p>
      {!session.isCurrent && (
        <Button size="small" aria-label={t.endOf(name)} disabled={end.isPending} onClick={run}>
          <LogOutIcon /> <span className="max-sm:hidden">{t.end}</span>
        </Button>
      )}
    </li>
  );
}
