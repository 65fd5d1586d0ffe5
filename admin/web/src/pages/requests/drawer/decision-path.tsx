// The way of a request: who could be asked, who was, how it went, drawn as one line from arrival to answer.
import { CircleCheckIcon, CircleDotIcon, CircleSlashIcon, CircleXIcon, type LucideIcon, RouteIcon, SplitIcon } from "lucide-react";
import type { ReactNode } from "react";

import { type Names, useNames } from "@/api/names";
import type { Attempt, RequestDetail } from "@/api/requests";
import { ClockTime } from "@/components/time";
import { Badge, type Tone } from "@/components/ui/badge";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { toneOf } from "../status";
import { drawerMessages } from "./messages";

const COLOURS: Record<Tone, string> = {
  neutral: "text-muted-foreground", outline: "text-muted-foreground", accent: "text-accent", ok: "text-ok", warn: "text-warn", bad: "text-bad",
};
const OUTCOME_TONES: Record<string, Tone> = { completed: "ok", failed: "bad", cut: "bad", client_left: "warn", lost: "neutral", unserved: "bad" };
const OUTCOME_ICONS: Record<string, LucideIcon> = { completed: CircleCheckIcon, failed: CircleXIcon, cut: CircleXIcon };

export function DecisionPath({ request }: { request: RequestDetail }) {
  const t = useMessages(drawerMessages);
  const names = useNames();
  const { chain, status } = request;
  const isRefused = request.errorCode && chain.every((attempt) => attempt.providerId === null);
  return (
    <ol>
      <Step icon={CircleDotIcon} tone="neutral" title={t.arrived} aside={<ClockTime value={request.createdAt} />}>
        <p className="font-mono text-xs break-all text-muted-foreground">{request.endpoint}</p>
      </Step>
      {chain.map((attempt, index) => (
        <AttemptSteps key={index} attempt={attempt} names={names} />
      ))}
      <Step isLast icon={status < 400 ? CircleCheckIcon : CircleSlashIcon} tone={toneOf(status)} title={status === 499 ? t.left : isRefused ? t.refused : t.answered(status)}>
        {chain.length === 0 && <p className="text-xs text-muted-foreground">{t.noAttempt}</p>}
        {request.errorCode && <p className="font-mono text-xs">{request.errorCode}</p>}
        {request.errorMessage && <p lang="en" className="text-xs break-words text-muted-foreground">{request.errorMessage}</p>}
      </Step>
    </ol>
  );
}

interface StepProps {
  icon: LucideIcon;
  tone: Tone;
  title: ReactNode;
  aside?: ReactNode;
  children?: ReactNode;
  isLast?: boolean;
}

function Step({ icon: Icon, tone, title, aside, children, isLast }: StepProps) {
  return (
    <li className="relative flex gap-3 pb-4 last:pb-0">
      {!isLast && <span aria-hidden className="absolute top-5 bottom-0 left-[0.4375rem] w-0.5 bg-border" />}
      <Icon aria-hidden className={cn("z-1 mt-0.5 size-4 shrink-0 rounded-full bg-raised", COLOURS[tone])} />
      <div className="min-w-0 flex-1 space-y-1.5">
        <div className="flex items-baseline gap-3 text-[0.8125rem]">
          <div className="min-w-0 flex-1 font-medium">{title}</div>
          {aside && <div className="shrink-0 text-xs text-muted-foreground tabular-nums">{aside}</div>}
        </div>
        {children}
      </div>
    </li>
  );
}

function AttemptSteps({ attempt, names }: { attempt: Attempt; names: Names }) {
  const t = useMessages(drawerMessages);
  const choice = attempt.selection ?? attempt.nobody;
  return (
    <>
      {choice && (
        <Step icon={attempt.nobody ? RouteIcon : SplitIcon} tone={attempt.nobody ? "bad" : "neutral"} title={attempt.nobody ? t.nobody : <ChoiceTitle attempt={attempt} />}>
          <Dropped attempt={attempt} names={names} />
        </Step>
      )}
      {attempt.providerId !== null && attempt.providerId !== undefined && <Outcome attempt={attempt} />}
    </>
  );
}

function ChoiceTitle({ attempt }: { attempt: Attempt }) {
  const t = useMessages(drawerMessages);
  const format = useFormat();
  const { selection } = attempt;
  const by = selection?.by ? (t.by[selection.by as keyof typeof t.by] ?? selection.by) : undefined;
  const odds = [
    by,
    typeof selection?.tier === "number" && t.tier(selection.tier),
    typeof selection?.probability === "number" && t.chance(format.percent(selection.probability)),
  ].filter(Boolean);
  return (
    <>
      {t.chosen}: {attempt.providerName}
      <span className="font-normal text-muted-foreground"> · {odds.join(" · ")}</span>
    </>
  );
}

/** Who was not asked, by the first reason against it. */
function Dropped({ attempt, names }: { attempt: Attempt; names: Names }) {
  const t = useMessages(drawerMessages);
  const considered = attempt.selection?.considered ?? attempt.nobody?.considered;
  const dropped = attempt.selection?.dropped ?? attempt.nobody?.dropped ?? [];
  const kept = attempt.selection?.kept ?? [];
  const nameOf = (id: number) => names.provider(id)?.name ?? `#${id}`;
  return (
    <div className="space-y-1 text-xs text-muted-foreground">
      <p>
        {typeof considered === "number" && t.considered(considered)}
        {kept.length > 0 && <span title={kept.map(nameOf).join(", ")}> · {t.kept(kept.length)}</span>}
      </p>
      {dropped.length > 0 && (
        <ul className="flex flex-wrap gap-1">
          {dropped.map(({ reason, providers }) => (
            <li key={reason}>
              <Badge tone="outline" title={providers.map(nameOf).join(", ")}>
                {t.dropped[reason as keyof typeof t.dropped] ?? reason}
                <span className="text-foreground">{providers.length === 1 && providers[0] !== undefined ? nameOf(providers[0]) : `× ${providers.length}`}</span>
              </Badge>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Outcome({ attempt }: { attempt: Attempt }) {
  const t = useMessages(drawerMessages);
  const format = useFormat();
  const outcome = attempt.outcome ?? "";
  const tone = OUTCOME_TONES[outcome] ?? "neutral";
  const fault = attempt.fault ? (t.faults[attempt.fault as keyof typeof t.faults] ?? attempt.fault) : undefined;
  const details = [attempt.endpoint, attempt.model, fault, attempt.retryAfterMs && t.retryAfter(format.ms(attempt.retryAfterMs))].filter(Boolean);
  return (
    <Step
      icon={OUTCOME_ICONS[outcome] ?? CircleDotIcon}
      tone={tone}
      title={
        <span className={COLOURS[tone]}>
          {t.outcomes[outcome as keyof typeof t.outcomes] ?? outcome}
          {attempt.status && <span className="font-mono"> {attempt.status}</span>}
        </span>
      }
      aside={attempt.durationMs !== null && attempt.durationMs !== undefined && format.ms(attempt.durationMs)}
    >
      <p className="text-xs break-words text-muted-foreground">{details.join(" · ")}</p>
      {attempt.error && <p className="text-xs break-words text-bad">{attempt.error}</p>}
      {attempt.errorBody && (
        <details className="text-xs">
          <summary className="text-muted-foreground">{t.excerpt}</summary>
          <pre tabIndex={0} className="mt-1 max-h-48 overflow-auto rounded-md border bg-muted p-2 font-mono text-2xs break-all whitespace-pre-wrap">{attempt.errorBody}</pre>
        </details>
      )}
      {attempt.edits.length > 0 && (
        <div className="text-xs">
          <p className="text-muted-foreground">{t.edits}</p>
          <ul className="list-inside list-disc">{attempt.edits.map((edit) => <li key={edit}>{edit}</li>)}</ul>
        </div>
      )}
    </Step>
  );
}
