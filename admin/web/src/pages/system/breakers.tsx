// The breakers that hold something back, with why, and their reset.
import { useQuery } from "@tanstack/react-query";
import { RotateCcwIcon, ZapIcon } from "lucide-react";
import { useState } from "react";

import { type Breaker, breakersQuery, providersQuery, useResetBreakers } from "@/api/providers";
import { useResetAllBreakers } from "@/api/health";
import { toast } from "@/app/toasts";
import { BreakerReason } from "@/components/breaker-reason";
import { Confirm } from "@/components/confirm";
import { Empty } from "@/components/empty";
import { ProviderMark } from "@/components/provider-mark";
import { QueryFailure } from "@/components/query-failure";
import { RelativeTime } from "@/components/time";
import { Badge, Dot, type Tone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

const TONES: Record<Breaker["state"], Tone> = { closed: "ok", open: "bad", half_open: "warn", resting: "warn" };

export function Breakers() {
  const t = useMessages(messages);
  const query = useQuery(breakersQuery);
  const [isAsking, setIsAsking] = useState(false);
  const resetAll = useResetAllBreakers();
  const run = () =>
    resetAll.mutate(undefined, {
      onSuccess: ({ reset }) => toast.done(t.resetDone(reset)),
      onError: toast.failed,
      onSettled: () => setIsAsking(false),
    });
  const breakers = query.data ?? [];
  return (
    <Card>
      <CardHeader title={t.breakers}>
        {breakers.length > 0 && (
          <Button size="small" onClick={() => setIsAsking(true)}>
            <RotateCcwIcon /> {t.resetAll}
          </Button>
        )}
      </CardHeader>
      {query.isError ? (
        <QueryFailure query={query} />
      ) : query.isPending ? (
        <div aria-busy className="p-4"><Skeleton className="h-10" /></div>
      ) : breakers.length === 0 ? (
        <Empty icon={ZapIcon} title={t.noBreakers} text={t.noBreakersText} className="py-10" />
      ) : (
        <ul className="divide-y">
          {breakers.map((breaker) => <BreakerRow key={`${breaker.providerId} ${breaker.scope} ${breaker.subject ?? ""}`} breaker={breaker} />)}
        </ul>
      )}
      {isAsking && <Confirm isDanger={false} title={t.resetAllTitle} text={t.resetAllText} action={t.resetAll} isPending={resetAll.isPending} onConfirm={run} onClose={() => setIsAsking(false)} />}
    </Card>
  );
}

function BreakerRow({ breaker }: { breaker: Breaker }) {
  const t = useMessages(messages);
  const provider = useQuery(providersQuery).data?.find(({ id }) => id === breaker.providerId);
  const reset = useResetBreakers();
  const name = provider?.name ?? String(breaker.providerId);
  const run = () => reset.mutate(breaker.providerId, { onSuccess: ({ reset: count }) => toast.done(t.resetDone(count)), onError: toast.failed });
  return (
    <li className="flex items-center gap-3 px-4 py-3">
      {provider ? <ProviderMark type={provider.type} /> : <span className="size-8 shrink-0 rounded-lg bg-muted" />}
      <div className="grid min-w-0 flex-1 items-center gap-x-5 gap-y-1 lg:grid-cols-[minmax(0,3fr)_6.5rem_minmax(0,5fr)]">
        <div className="min-w-0">
          <p className="truncate text-[0.8125rem] leading-5 font-medium">{name}</p>
          <p className="truncate text-xs text-muted-foreground">
            {t.what} {breaker.scope === "provider" ? t.whole : <code className="font-mono">{breaker.subject}</code>}
          </p>
        </div>
        <span>
          <Badge tone={TONES[breaker.state]}>
            <Dot tone={TONES[breaker.state]} isLive />
            {t.states[breaker.state]}
          </Badge>
        </span>
        <div className="min-w-0 text-xs text-muted-foreground">
          <p className="line-clamp-2 text-[0.8125rem] text-pretty text-foreground">{breaker.reason ? <BreakerReason reason={breaker.reason} /> : "–"}</p>
          <p className="truncate">
            {breaker.openedAt && <>{t.since} <RelativeTime value={breaker.openedAt} /></>}
            {breaker.timesOpened > 1 && ` · ${t.times(breaker.timesOpened)}`}
            {breaker.openUntil && <> · {t.until} <RelativeTime value={breaker.openUntil} /></>}
            {breaker.advised && ` · ${t.advised}`}
          </p>
        </div>
      </div>
      <Button size="small" aria-label={t.resetOf(name)} disabled={reset.isPending} onClick={run}>
        <RotateCcwIcon /> <span className="max-sm:hidden">{t.reset}</span>
      </Button>
    </li>
  );
}
