// What is left of each limit, and when it is there again.
import { useQuery } from "@tanstack/react-query";
import { InfinityIcon } from "lucide-react";

import { type LimitLine, type LimitUsage, limitLines } from "@/api/limits";
import { myLimitsQuery } from "@/api/me";
import { Meter, NEARLY } from "@/components/meter";
import { QueryFailure } from "@/components/query-failure";
import { RelativeTime } from "@/components/time";
import { Card, CardHeader } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

export function LimitsCard() {
  const t = useMessages(messages);
  const limits = useQuery(myLimitsQuery);
  const { key, user } = limits.data ?? {};
  const isFree = limits.data && [key, user].every((usage) => !usage || limitLines(usage).length === 0);
  return (
    <Card>
      <CardHeader title={t.limits} />
      {limits.error && !limits.data ? (
        <QueryFailure query={limits} />
      ) : !limits.data ? (
        <div aria-busy className="space-y-5 p-4">
          {Array.from({ length: 3 }, (_, index) => (
            <Skeleton key={index} className="h-8" />
          ))}
        </div>
      ) : isFree ? (
        <div className="flex items-start gap-3 p-4">
          <InfinityIcon aria-hidden className="mt-0.5 size-4 shrink-0 text-ok" />
          <div>
            <p className="text-[0.8125rem] font-medium">{t.noLimits}</p>
            <p className="text-xs text-muted-foreground">{t.noLimitsText}</p>
          </div>
        </div>
      ) : (
        <div className="divide-y">
          {key && <Lines title={t.ofKey} usage={key} />}
          {user && <Lines title={t.ofUser} usage={user} />}
        </div>
      )}
    </Card>
  );
}

function Lines({ title, usage }: { title: string; usage: LimitUsage }) {
  const lines = limitLines(usage);
  if (lines.length === 0) return null;
  return (
    <section className="px-4 py-3.5">
      <h3 className="pb-3 text-2xs font-medium text-muted-foreground">{title}</h3>
      <ul className="space-y-4">
        {lines.map((line) => (
          <li key={line.name}>
            <Line line={line} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Line({ line }: { line: LimitLine }) {
  const t = useMessages(messages);
  const format = useFormat();
  const show = line.isMoney ? format.usd : format.count;
  const left = Math.max(0, line.limit - line.current);
  return (
    <>
      <p className="flex items-baseline gap-2 pb-1.5 text-[0.8125rem]">
        <span className="font-medium">{t.names[line.name]}</span>
        <span className="ml-auto text-muted-foreground tabular-nums">
          <span className="text-foreground">{show(line.current)}</span> / {show(line.limit)}
        </span>
      </p>
      <Meter share={line.share} label={t.names[line.name]} />
      <p className="flex gap-2 pt-1 text-2xs text-muted-foreground tabular-nums">
        <span className={cn(line.share >= 1 ? "text-bad" : line.share >= NEARLY && "text-warn")}>{line.share >= 1 ? t.usedUp : t.left(show(left))}</span>
        <span className="ml-auto">{line.resetsAt ? <>{t.resets} <RelativeTime value={line.resetsAt} /></> : line.name === "limit5hUsd" || line.name === "limitDailyUsd" ? t.rolling : null}</span>
      </p>
    </>
  );
}
