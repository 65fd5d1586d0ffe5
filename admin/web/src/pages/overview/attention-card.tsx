// What needs somebody, and where to go about it.
import { Link } from "@tanstack/react-router";
import { CalendarClockIcon, CircleCheckIcon, GaugeIcon, HeartCrackIcon, HourglassIcon, type LucideIcon, TagIcon, ZapOffIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { NearLimit } from "@/api/limits";
import { useResetBreakers } from "@/api/providers";
import { toast } from "@/app/toasts";
import { BreakerReason } from "@/components/breaker-reason";
import { RelativeTime } from "@/components/time";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import type { Matter } from "./attention";
import { messages } from "./messages";

const MOST = 8;

export function AttentionCard({ matters }: { matters: Matter[] | undefined }) {
  const t = useMessages(messages);
  return (
    <Card>
      <CardHeader title={t.attention}>{matters && matters.length > 0 && <Badge tone={matters.some(({ isBad }) => isBad) ? "bad" : "warn"}>{matters.length}</Badge>}</CardHeader>
      {!matters ? (
        <div aria-busy className="space-y-4 p-4">
          <Skeleton className="w-2/3" />
          <Skeleton className="w-5/6" />
        </div>
      ) : matters.length === 0 ? (
        <div className="flex items-start gap-3 px-4 py-3.5">
          <CircleCheckIcon aria-hidden className="mt-0.5 size-4 shrink-0 text-ok" />
          <div>
            <p className="text-[0.8125rem] font-medium">{t.well}</p>
            <p className="text-xs text-pretty text-muted-foreground">{t.wellText}</p>
          </div>
        </div>
      ) : (
        <ul className="divide-y divide-border/60">
          {matters.slice(0, MOST).map((matter, index) => (
            <li key={index}>
              <MatterLine matter={matter} />
            </li>
          ))}
          {matters.length > MOST && <li className="px-4 py-2 text-xs text-muted-foreground">{t.more(matters.length - MOST)}</li>}
        </ul>
      )}
    </Card>
  );
}

function MatterLine({ matter }: { matter: Matter }) {
  const t = useMessages(messages);
  const format = useFormat();
  if (matter.kind === "part") return <Line isBad icon={HeartCrackIcon} title={t.part(matter.name)} text={matter.detail} />;
  if (matter.kind === "breaker") return <BreakerLine matter={matter} />;
  if (matter.kind === "unpriced") {
    const names = matter.models.map(({ model }) => model);
    return (
      <Line
        icon={TagIcon}
        title={<Link to="/prices" search={{ view: "unpriced" }} className="rounded hover:underline">{t.unpricedTitle(names.length)}</Link>}
        text={t.unpricedText(`${names.slice(0, 3).join(", ")}${names.length > 3 ? "…" : ""}`)}
      />
    );
  }
  if (matter.kind === "backlog") {
    const title = <Link to="/system" className="rounded hover:underline">{t.backlog}</Link>;
    return <Line isBad={matter.isBad} icon={HourglassIcon} title={title} text={t.backlogText(format.bytes(matter.bytes), format.count(matter.lines))} />;
  }
  if (matter.kind === "limit") return <LimitMatter limit={matter.limit} />;
  const { owner } = matter;
  const title = matter.isBad ? t.expired(owner.name) : t.expires(owner.name);
  return (
    <Line
      isBad={matter.isBad}
      icon={CalendarClockIcon}
      title={<Link to="/users" search={{ user: owner.userId }} className="rounded hover:underline">{title}</Link>}
      text={<RelativeTime value={matter.at} />}
    />
  );
}

function LimitMatter({ limit }: { limit: NearLimit }) {
  const t = useMessages(messages);
  const format = useFormat();
  const title = t.limitUsed(limit.userName ? `${limit.userName} / ${limit.name}` : limit.name, format.percent(limit.share));
  const look = "rounded hover:underline";
  return (
    <Line
      isBad={limit.share >= 1}
      icon={GaugeIcon}
      title={
        limit.owner === "provider" ? (
          <Link to="/providers" search={{ edit: limit.id }} className={look}>{title}</Link>
        ) : (
          <Link to="/users" search={{ user: limit.userId ?? limit.id }} className={look}>{title}</Link>
        )
      }
      text={
        <>
          {t.limitOf(format.usd(limit.current), format.usd(limit.limit), t.windows[limit.limitName])}
          {limit.resetsAt && <> · {t.resets} <RelativeTime value={limit.resetsAt} /></>}
        </>
      }
    />
  );
}

function BreakerLine({ matter }: { matter: Matter & { kind: "breaker" } }) {
  const t = useMessages(messages);
  const reset = useResetBreakers();
  const { breaker, provider, isBad } = matter;
  const what = breaker.subject ? `${provider} · ${breaker.subject}` : provider;
  const run = () => reset.mutate(breaker.providerId, { onSuccess: () => toast.done(t.resetDone(provider)), onError: toast.failed });
  return (
    <Line
      isBad={isBad}
      icon={ZapOffIcon}
      title={<Link to="/providers" search={{ show: "unwell" }} className="rounded hover:underline">{t.breakerOf(t.breaker[breaker.state], what)}</Link>}
      text={
        <>
          {breaker.reason && <BreakerReason reason={breaker.reason} />}
          {breaker.openUntil && <>{breaker.reason && " · "}{t.until} <RelativeTime value={breaker.openUntil} /></>}
        </>
      }
    >
      <Button size="small" disabled={reset.isPending} onClick={run}>{t.reset}</Button>
    </Line>
  );
}

function Line({ icon: Icon, isBad, title, text, children }: { icon: LucideIcon; isBad?: boolean; title: ReactNode; text: ReactNode; children?: ReactNode }) {
  return (
    <div className="flex items-start gap-3 px-4 py-2.5">
      <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", isBad ? "text-bad" : "text-warn")} />
      <div className="min-w-0 flex-1">
        <p className="truncate text-[0.8125rem] font-medium">{title}</p>
        <p className="line-clamp-2 text-xs break-words text-muted-foreground">{text}</p>
      </div>
      {children}
    </div>
  );
}
