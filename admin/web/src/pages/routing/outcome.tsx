// Every provider in the choice: those that stay by tier with their odds, those that do not with what keeps them out.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { InfoIcon, PinIcon, TriangleAlertIcon } from "lucide-react";

import { providersQuery } from "@/api/providers";
import type { Candidate, ExplainedReason, Explanation } from "@/api/routing";
import { ProviderMark } from "@/components/provider-mark";
import { Badge } from "@/components/ui/badge";
import { Card, CardHeader } from "@/components/ui/card";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

const HUES = ["var(--chart-1)", "var(--chart-2)", "var(--chart-3)", "var(--chart-4)", "var(--chart-5)", "var(--chart-6)", "var(--chart-7)", "var(--chart-8)"];

export function Outcome({ explanation }: { explanation: Explanation }) {
  const { candidates, chosenTier, nominee, notes } = explanation;
  const kept = candidates.filter((candidate) => candidate.kept);
  const dropped = candidates.filter((candidate) => !candidate.kept);
  const tiers = [...new Set(kept.map(({ tier }) => tier))].sort((a, b) => a - b);
  return (
    <div className="min-w-0 space-y-4" data-testid="explanation">
      {kept.length === 0 && <Nobody />}
      {nominee && <Nominee explanation={explanation} />}
      {tiers.map((tier) => (
        <Tier key={tier} tier={tier} isChosen={tier === chosenTier} members={kept.filter((candidate) => candidate.tier === tier)} />
      ))}
      {dropped.length > 0 && <DroppedCard members={dropped} />}
      {notes.length > 0 && (
        <ul className="space-y-1 px-1">
          {notes.map((note) => (
            <li key={note} className="flex gap-2 text-xs text-muted-foreground">
              <InfoIcon aria-hidden className="mt-0.5 size-3.5 shrink-0" />
              <Note text={note} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** What the gateway says about every request, in the reader's language; what it says about this one, as clients are told it. */
function Note({ text }: { text: string }) {
  const t = useMessages(messages);
  const known = (Object.keys(messages.en.notes) as (keyof typeof messages.en.notes)[]).find((name) => messages.en.notes[name] === text);
  return known ? <span className="text-pretty">{t.notes[known]}</span> : <span lang="en" className="text-pretty">{text}</span>;
}

function Nobody() {
  const t = useMessages(messages);
  return (
    <div role="status" className="flex gap-3 rounded-xl bg-bad-soft px-4 py-3 text-bad">
      <TriangleAlertIcon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div>
        <p className="text-[0.8125rem] font-medium">{t.nobody}</p>
        <p className="text-xs text-pretty">{t.nobodyText}</p>
      </div>
    </div>
  );
}

function Nominee({ explanation: { nominee, candidates } }: { explanation: Explanation }) {
  const t = useMessages(messages);
  if (!nominee) return null;
  const name = candidates.find(({ providerId }) => providerId === nominee.providerId)?.providerName ?? String(nominee.providerId);
  const by = Object.entries(t.by).find(([key]) => key === nominee.by)?.[1] ?? nominee.by;
  return (
    <div className="flex gap-3 rounded-xl border bg-accent-soft px-4 py-3">
      <PinIcon aria-hidden className="mt-0.5 size-4 shrink-0 text-accent" />
      <div className="min-w-0">
        <p className="text-[0.8125rem] font-medium">
          {t.belongsTo(name)} <span className="font-normal text-muted-foreground">{by}</span>
        </p>
        <p className="text-xs text-muted-foreground"><Note text={nominee.reason} /></p>
      </div>
    </div>
  );
}

function Tier({ tier, isChosen, members }: { tier: number; isChosen: boolean; members: readonly Candidate[] }) {
  const t = useMessages(messages);
  const format = useFormat();
  const sorted = [...members].sort((a, b) => b.probability - a.probability || b.weight - a.weight);
  const colour = (index: number) => HUES[index % HUES.length];
  return (
    <Card>
      <CardHeader
        title={
          <span className="flex items-center gap-2">
            {t.tier(tier)}
            <Badge tone={isChosen ? "accent" : "neutral"}>{isChosen ? t.chosen : t.waiting}</Badge>
          </span>
        }
      >
        {isChosen && <span className="text-xs text-muted-foreground max-sm:hidden">{t.odds}</span>}
      </CardHeader>
      {isChosen && (
        <div aria-hidden className="flex h-2.5 gap-0.5 px-4 pt-4">
          {sorted.map((member, index) =>
            member.probability > 0 ? (
              <span key={member.providerId} className="h-2.5 min-w-1 rounded-xs first:rounded-l-full last:rounded-r-full" style={{ flexGrow: member.probability, background: colour(index) }} />
            ) : null,
          )}
        </div>
      )}
      <ul className={cn("divide-y", isChosen && "pt-3")}>
        {sorted.map((member, index) => (
          <li key={member.providerId} className="flex items-center gap-3 px-4 py-2.5">
            <Mark id={member.providerId} />
            <Name candidate={member} />
            <span className="w-20 shrink-0 text-right text-xs text-muted-foreground tabular-nums">{t.weight(member.weight)}</span>
            {isChosen && (
              <>
                <span aria-hidden className="h-1.5 w-1/4 overflow-hidden rounded-full bg-foreground/10 max-sm:hidden">
                  <span className="block h-full rounded-full" style={{ width: `${member.probability * 100}%`, background: colour(index) }} />
                </span>
                <span className="w-14 shrink-0 text-right text-[0.8125rem] font-semibold tabular-nums">{format.percent(member.probability)}</span>
              </>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function DroppedCard({ members }: { members: readonly Candidate[] }) {
  const t = useMessages(messages);
  return (
    <Card>
      <CardHeader title={t.dropped}>
        <span className="text-xs text-muted-foreground tabular-nums">{t.droppedCount(members.length)}</span>
      </CardHeader>
      <ul className="divide-y">
        {members.map((member) => (
          <li key={member.providerId} className="flex items-center gap-3 px-4 py-2.5">
            <span className="grayscale"><Mark id={member.providerId} /></span>
            <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-4 gap-y-0.5">
              <Name candidate={member} className="basis-44 text-muted-foreground" />
              <span className="flex min-w-0 flex-1 basis-56 flex-wrap items-center gap-2">
                {member.reasons.map((reason) => <Reason key={reason.code} {...reason} />)}
              </span>
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}

const UNWELL: ReadonlySet<ExplainedReason["code"]> = new Set(["breaker_open", "resting", "busy", "over_budget", "exhausted"]);

function Reason({ code, text }: ExplainedReason) {
  const t = useMessages(messages);
  const known = Object.entries(t.reasons).find(([key]) => key === code)?.[1];
  return (
    <span className="flex min-w-0 items-center gap-2 text-xs text-muted-foreground">
      {known && <Badge tone={UNWELL.has(code) ? "bad" : "neutral"}>{known[0]}</Badge>}
      <span className="text-pretty">{known?.[1] ?? text}</span>
    </span>
  );
}

function Name({ candidate, className }: { candidate: Candidate; className?: string }) {
  return (
    <span className={cn("flex min-w-0 flex-1 items-center gap-1.5 text-[0.8125rem] font-medium", className)}>
      <Link to="/providers" search={{ edit: candidate.providerId }} className="truncate underline-offset-4 hover:underline">
        {candidate.providerName}
      </Link>
      {candidate.isNominee && <PinIcon aria-hidden className="size-3.5 shrink-0 text-accent" />}
    </span>
  );
}

function Mark({ id }: { id: number }) {
  const type = useQuery(providersQuery).data?.find((provider) => provider.id === id)?.type;
  return type ? <ProviderMark type={type} className="size-7" /> : <span className="size-7 shrink-0 rounded-lg bg-muted" />;
}
