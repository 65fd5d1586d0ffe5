// System: how the gateway and its parts are, the breakers that hold something back, and the API's documents.
import { useQuery } from "@tanstack/react-query";
import { BookOpenIcon, BracesIcon, CircleCheckIcon, ExternalLinkIcon, FileJsonIcon, TriangleAlertIcon } from "lucide-react";

import { type HealthPart, healthQuery } from "@/api/health";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { Badge, Dot } from "@/components/ui/badge";
import { Card, CardHeader } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { TIME_ZONE, useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { BackupCard, RestoreCard } from "./backup";
import { Breakers } from "./breakers";
import { messages } from "./messages";
import { LogLevel, NodeCard } from "./node";
import { Prune } from "./prune";

export function SystemPage() {
  const t = useMessages(messages);
  const query = useQuery({ ...healthQuery, refetchInterval: 5000 });
  return (
    <>
      <PageHeader title={t.title} text={t.text} />
      <div className="space-y-4 px-4 pb-10 md:px-6">
        {query.isError ? (
          <QueryFailure query={query} />
        ) : (
          <>
            <StatusCard />
            <Parts />
          </>
        )}
        <NodeCard />
        <Breakers />
        <div className="grid items-start gap-4 xl:grid-cols-2">
          <LogLevel />
          <Prune />
          <BackupCard />
          <RestoreCard />
        </div>
        <Documents />
      </div>
    </>
  );
}

function StatusCard() {
  const t = useMessages(messages);
  const format = useFormat();
  const { data } = useQuery(healthQuery);
  const isWell = data?.status === "ok";
  const Icon = isWell ? CircleCheckIcon : TriangleAlertIcon;
  const facts: [string, string][] = [
    [t.version, data ? `v${data.version}` : ""],
    [t.revision, data ? t.revisionText(format.count(data.revision)) : ""],
    [t.address, location.host],
    [t.timeZone, TIME_ZONE],
  ];
  return (
    <Card className="flex flex-wrap items-center gap-x-8 gap-y-4 p-4">
      {data ? (
        <p role="status" className="flex flex-1 basis-60 items-center gap-3 text-[0.9375rem] font-semibold">
          <span className={cn("flex size-9 items-center justify-center rounded-full", isWell ? "bg-ok-soft text-ok" : "bg-bad-soft text-bad")}>
            <Icon aria-hidden className="size-5" />
          </span>
          {t.status[data.status]}
        </p>
      ) : (
        <div className="flex-1 basis-60"><Skeleton className="h-9 w-48" /></div>
      )}
      <dl className="grid grid-cols-2 gap-x-8 gap-y-2 sm:flex">
        {facts.map(([name, value]) => (
          <div key={name} className="min-w-0">
            <dt className="text-2xs text-muted-foreground">{name}</dt>
            <dd className="truncate text-[0.8125rem] font-medium tabular-nums">{value || <Skeleton className="h-5 w-16" />}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function Parts() {
  const t = useMessages(messages);
  const { data } = useQuery(healthQuery);
  return (
    <Card>
      <CardHeader title={t.parts} />
      <ul className="divide-y" aria-busy={!data}>
        {data
          ? data.parts.map((part) => (
              <li key={part.name} className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-0.5 px-4 py-2.5 sm:grid-cols-[10rem_minmax(0,1fr)_auto]">
                <span className="flex items-center gap-2.5 text-[0.8125rem] font-medium">
                  <Dot tone={part.ok ? "ok" : "bad"} isLive={!part.ok} />
                  {Object.entries(t.partNames).find(([name]) => name === part.name)?.[1] ?? part.name}
                </span>
                <span className="text-xs text-pretty text-muted-foreground tabular-nums max-sm:order-last max-sm:col-span-2"><Detail part={part} /></span>
                <Badge tone={part.ok ? "ok" : "bad"}>{part.ok ? t.well : t.unwell}</Badge>
              </li>
            ))
          : [1, 2, 3].map((row) => (
              <li key={row} className="px-4 py-3">
                <Skeleton className="h-4 w-2/3" />
              </li>
            ))}
      </ul>
    </Card>
  );
}

/** The figures in the reader's language; what has none is told in the gateway's own words. */
function Detail({ part: { ok, detail, figures } }: { part: HealthPart }) {
  const { details: t } = useMessages(messages);
  const format = useFormat();
  const count = (figure: number | undefined) => format.count(figure ?? 0);
  if (ok && figures.latencyMs !== undefined) return t.latency(figures.latencyMs === 0 ? `< ${format.ms(1)}` : format.ms(figures.latencyMs));
  if (figures.revisionsBehind !== undefined) return t.revisions(figures.revisionsBehind);
  if (figures.journalBytes === undefined) return detail;
  const waiting = t.ledger(count(figures.queuedRequests), count(figures.queuedLines), format.bytes(figures.journalBytes));
  if (!figures.droppedRequests && !figures.lostLines) return waiting;
  return <>{waiting} · <span className="text-bad">{t.lost(count(figures.droppedRequests), count(figures.lostLines))}</span></>;
}

const DOCUMENTS = [
  ["scalar", "/api/v1/scalar", BookOpenIcon],
  ["swagger", "/api/v1/swagger", BracesIcon],
  ["openapi", "/api/v1/openapi.json", FileJsonIcon],
] as const;

function Documents() {
  const t = useMessages(messages);
  return (
    <section aria-labelledby="documents" className="pt-2">
      <h2 id="documents" className="text-[0.8125rem] font-medium">{t.docs}</h2>
      <p className="text-xs text-muted-foreground">{t.docsText}</p>
      <ul className="mt-3 grid gap-3 sm:grid-cols-3">
        {DOCUMENTS.map(([name, href, Icon]) => (
          <li key={name}>
            <a href={href} target="_blank" rel="noreferrer" className="flex items-center gap-3 rounded-xl border bg-surface p-3.5 hover:border-input hover:bg-hover">
              <span className="flex size-9 shrink-0 items-center justify-center rounded-lg bg-accent-soft text-accent">
                <Icon aria-hidden className="size-4.5" />
              </span>
              <span className="min-w-0 flex-1">
                <span className="block text-[0.8125rem] font-medium">{t.docNames[name][0]}</span>
                <span className="block text-xs text-muted-foreground">{t.docNames[name][1]}</span>
              </span>
              <ExternalLinkIcon aria-hidden className="size-4 text-muted-foreground" />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
