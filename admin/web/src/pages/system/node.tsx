// This node: since when, with what, how full; and what it writes into its log.
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId, useState } from "react";

import { mistakesOf } from "@/api/problem";
import { logLevelQuery, systemQuery, useSetLogLevel } from "@/api/system";
import { toast } from "@/app/toasts";
import { Field } from "@/components/form/field";
import { Meter } from "@/components/meter";
import { QueryFailure } from "@/components/query-failure";
import { RelativeTime } from "@/components/time";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Input } from "@/components/ui/input";
import { Skeleton } from "@/components/ui/skeleton";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

const GIB = 1_073_741_824;

export function NodeCard() {
  const t = useMessages(messages).node;
  const format = useFormat();
  const query = useQuery(systemQuery);
  const { data } = query;
  if (query.isError) return <Card><QueryFailure query={query} /></Card>;
  const facts: [string, ReactNode][] = data
    ? [
        [t.started, <RelativeTime key="started" value={data.startedAt} />],
        [t.inFlight, format.count(data.requestsInFlight)],
        [t.queued, format.count(data.queuedLines)],
        [t.journal, format.bytes(data.journalBytes)],
        [t.database, data.database === "postgres" ? "PostgreSQL" : "SQLite"],
        [t.behind, data.databaseRevision > data.revision ? t.revisions(data.databaseRevision - data.revision) : t.upToDate],
        [t.timeZone, data.timeZone],
      ]
    : [];
  return (
    <Card>
      <CardHeader title={t.title} />
      <dl className="grid grid-cols-2 gap-x-6 gap-y-4 p-4 sm:grid-cols-4" aria-busy={!data}>
        {data
          ? facts.map(([name, value]) => (
              <div key={name} className="min-w-0">
                <dt className="text-2xs text-muted-foreground">{name}</dt>
                <dd className="truncate text-[0.8125rem] font-medium tabular-nums">{value}</dd>
              </div>
            ))
          : [1, 2, 3, 4].map((each) => <Skeleton key={each} className="h-9" />)}
        {data?.diskTotalBytes && data.diskFreeBytes !== null && data.diskFreeBytes !== undefined ? <Disk free={data.diskFreeBytes} total={data.diskTotalBytes} /> : null}
      </dl>
    </Card>
  );
}

function Disk({ free, total }: { free: number; total: number }) {
  const t = useMessages(messages).node;
  const share = 1 - free / total;
  const gib = (bytes: number) => (bytes / GIB).toFixed(1);
  return (
    <div className="min-w-0">
      <dt className="text-2xs text-muted-foreground">{t.disk}</dt>
      <dd className="text-[0.8125rem] font-medium tabular-nums">
        {t.free(gib(free), gib(total))}
        <Meter share={share} label={t.disk} className="mt-1 h-1" />
      </dd>
    </div>
  );
}

const LEVELS = ["error", "warn", "info", "debug", "trace"] as const;

export function LogLevel() {
  const t = useMessages(messages).log;
  const { data } = useQuery(logLevelQuery);
  return (
    <Card>
      <CardHeader title={t.title} />
      <div className="p-4">
        {!data ? <Skeleton className="h-14" /> : data.filter === null || data.filter === undefined ? <p className="text-[0.8125rem] text-muted-foreground">{t.notOurs}</p> : <LogForm key={data.filter} filter={data.filter} />}
      </div>
    </Card>
  );
}

function LogForm({ filter }: { filter: string }) {
  const t = useMessages(messages).log;
  const [text, setText] = useState(filter);
  const set = useSetLogLevel();
  const list = useId();
  const keep = (next: string) =>
    set.mutate(next, { onSuccess: () => toast.done(t.done(next), next === filter ? undefined : () => set.mutate(filter, { onError: toast.failed })) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    keep(text.trim());
  };
  const error = mistakesOf(set.error).get("filter") ?? set.error?.message;
  return (
    <form onSubmit={submit}>
      <Field label={t.label} help={t.help} error={error}>
        {(wiring) => (
          <div className="flex gap-2">
            <Input {...wiring} list={list} spellCheck={false} className="font-mono" value={text} onChange={(event) => setText(event.target.value)} />
            <datalist id={list}>{LEVELS.map((level) => <option key={level} value={level} />)}</datalist>
            <Button type="submit" disabled={set.isPending || text.trim() === "" || text.trim() === filter}>{t.set}</Button>
          </div>
        )}
      </Field>
    </form>
  );
}
