// One request, beside the log: what happened, when, why, and what it cost.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ChevronDownIcon, ChevronUpIcon, SearchXIcon } from "lucide-react";
import type { KeyboardEvent, ReactNode } from "react";

import { ProblemError } from "@/api/problem";
import { type RequestDetail, type RequestRow, requestQuery } from "@/api/requests";
import { useIsAdmin } from "@/api/session";
import { CopyButton } from "@/components/copy-button";
import { Empty } from "@/components/empty";
import { QueryFailure } from "@/components/query-failure";
import { Button } from "@/components/ui/button";
import { Dialog, SheetContent } from "@/components/ui/dialog";
import { Skeleton } from "@/components/ui/skeleton";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { StatusBadge } from "../status";
import { DecisionPath } from "./decision-path";
import { Facts } from "./facts";
import { drawerMessages } from "./messages";
import { UsageTable } from "./usage-table";
import { Waterfall } from "./waterfall";

const route = getRouteApi("/app/requests");

export function RequestDrawer({ rows }: { rows: readonly RequestRow[] }) {
  const t = useMessages(drawerMessages);
  const { request: id } = route.useSearch();
  const navigate = route.useNavigate();
  const index = rows.findIndex((row) => row.id === id);
  const go = (row: RequestRow | undefined) => row && void navigate({ search: (before) => ({ ...before, request: row.id }), replace: true });
  const close = () => void navigate({ search: ({ request: _request, ...rest }) => rest });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLInputElement) return;
    if (event.key === "j") go(rows[index + 1]);
    if (event.key === "k") go(rows[index - 1]);
  };
  return (
    <Dialog open={id !== undefined} onOpenChange={(open) => !open && close()}>
      {id && (
        <SheetContent
          onKeyDown={onKeyDown}
          title={<Title id={id} row={rows[index]} />}
          footer={
            index >= 0 && (
              <>
                <Button size="small" disabled={index === 0} onClick={() => go(rows[index - 1])}>
                  <ChevronUpIcon /> {t.previous}
                </Button>
                <Button size="small" disabled={index === rows.length - 1} onClick={() => go(rows[index + 1])}>
                  <ChevronDownIcon /> {t.next}
                </Button>
              </>
            )
          }
        >
          <DrawerBody key={id} id={id} />
        </SheetContent>
      )}
    </Dialog>
  );
}

function Title({ id, row }: { id: string; row: RequestRow | undefined }) {
  const t = useMessages(drawerMessages);
  return (
    <span className="flex min-w-0 items-center gap-2">
      {row && <StatusBadge status={row.status} code={row.errorCode} />}
      <span className="truncate">{row?.requestedModel ?? row?.endpoint ?? t.title}</span>
      <code className="text-xs font-normal text-muted-foreground">{id.slice(0, 8)}</code>
      <CopyButton text={id} label={t.copyId} />
    </span>
  );
}

function DrawerBody({ id }: { id: string }) {
  const t = useMessages(drawerMessages);
  const query = useQuery(requestQuery(id));
  if (query.isPending) return <BodySkeleton />;
  if (query.isError) {
    const isGone = query.error instanceof ProblemError && [400, 404, 422].includes(query.error.status);
    return isGone ? <Empty icon={SearchXIcon} title={t.gone} /> : <QueryFailure query={query} />;
  }
  return <Body request={query.data} />;
}

function Body({ request }: { request: RequestDetail }) {
  const t = useMessages(drawerMessages);
  const isAdmin = useIsAdmin();
  return (
    <div className="space-y-7">
      <Metrics request={request} />
      <Part title={t.timing}>
        <Waterfall request={request} />
      </Part>
      <Part title={t.decision}>{isAdmin ? <DecisionPath request={request} /> : <p className="text-[0.8125rem] text-muted-foreground">{t.noChain}</p>}</Part>
      <Part title={t.usage}>
        <UsageTable request={request} />
      </Part>
      <Part title={t.facts}>
        <Facts request={request} />
      </Part>
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-2.5 text-[0.8125rem] font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function Metrics({ request }: { request: RequestDetail }) {
  const t = useMessages(drawerMessages);
  const format = useFormat();
  const { durationMs, ttftMs, costUsd, overheadMs, usage } = request;
  const writingMs = ttftMs === null || ttftMs === undefined ? 0 : durationMs - ttftMs;
  const speed = writingMs > 50 && usage.outputTokens > 0 ? t.perSecond(format.count(usage.outputTokens / (writingMs / 1000))) : "–";
  const figures = [
    [t.metrics.duration, format.ms(durationMs)],
    [t.metrics.ttft, ttftMs === null || ttftMs === undefined ? "–" : format.ms(ttftMs)],
    [t.metrics.speed, speed],
    [t.metrics.cost, costUsd === null || costUsd === undefined ? "–" : format.usd(costUsd)],
    [t.metrics.overhead, format.ms(overheadMs)],
  ] as const;
  return (
    <dl className="grid grid-cols-3 gap-px overflow-hidden rounded-lg border bg-border sm:grid-cols-5">
      {figures.map(([label, value]) => (
        <div key={label} className="bg-surface px-3 py-2">
          <dt className="text-2xs text-muted-foreground">{label}</dt>
          <dd className="truncate text-[0.9375rem] font-medium tabular-nums">{value}</dd>
        </div>
      ))}
      <div aria-hidden className="bg-surface sm:hidden" />
    </dl>
  );
}

function BodySkeleton() {
  return (
    <div aria-busy className="space-y-6">
      <Skeleton className="h-14 rounded-lg" />
      <Skeleton className="h-24 rounded-lg" />
      <Skeleton className="h-56 rounded-lg" />
    </div>
  );
}
