// Pricing history again: which days and models, a count of what would change, then the change, both with their progress.
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";

import { repriceOnce } from "@/api/prices";
import { describe } from "@/api/problem";
import { useGatewayZone } from "@/api/session";
import { Field } from "@/components/form/field";
import { Button } from "@/components/ui/button";
import { SheetContent } from "@/components/ui/dialog";
import { Input, Textarea } from "@/components/ui/input";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { dayOf, isDay, shifted, startOf } from "@/lib/zone";

import { messages } from "./messages";
import { type Progress, NO_PROGRESS, repriceAll } from "./reprice";

type Phase = "asking" | "counting" | "counted" | "writing" | "written" | "stopped";

interface Ask {
  from: string;
  to: string;
  models?: string[];
}

interface Props {
  models: readonly string[];
  onClose: () => void;
}

const DAYS = 30;

export function RepriceSheet({ models, onClose }: Props) {
  const t = useMessages(messages);
  const zone = useGatewayZone();
  const today = dayOf(Date.now(), zone);
  const [from, setFrom] = useState(shifted(today, 1 - DAYS));
  const [to, setTo] = useState(today);
  const [names, setNames] = useState(models.join("\n"));
  const job = useReprice();
  const isBusy = job.phase === "counting" || job.phase === "writing";
  const chosen = names.split("\n").map((name) => name.trim()).filter(Boolean);
  const isSpan = isDay(from) && isDay(to) && from <= to;
  const ask = (): Ask => ({
    from: new Date(startOf(from, zone)).toISOString(),
    to: new Date(Math.min(startOf(shifted(to, 1), zone), Date.now())).toISOString(),
    ...(chosen.length > 0 && { models: chosen }),
  });
  const count = (event: FormEvent) => {
    event.preventDefault();
    if (isSpan) void job.run(ask(), false);
  };
  const edit = (change: () => void) => {
    job.reset();
    change();
  };
  return (
    <SheetContent
      title={t.repriceTitle}
      description={t.repriceText}
      footer={
        <>
          {isBusy && <Button className="mr-auto" onClick={job.stop}>{t.stop}</Button>}
          {job.phase === "written" ? (
            <Button look="primary" onClick={onClose}>{t.close}</Button>
          ) : job.phase === "counted" && job.progress.changed > 0 ? (
            <Button look="primary" onClick={() => void job.run(job.ask ?? ask(), true)}>{t.write}</Button>
          ) : (
            <Button look="primary" type="submit" form="reprice" disabled={isBusy || !isSpan}>{isBusy ? (job.phase === "counting" ? t.dryRun : t.running) : t.count}</Button>
          )}
        </>
      }
    >
      <form id="reprice" onSubmit={count} className="grid gap-4 sm:grid-cols-2">
        <Field label={t.from}>{(wiring) => <Input {...wiring} type="date" required max={to} value={from} disabled={isBusy} onChange={(event) => edit(() => setFrom(event.target.value))} />}</Field>
        <Field label={t.to}>{(wiring) => <Input {...wiring} type="date" required min={from} max={today} value={to} disabled={isBusy} onChange={(event) => edit(() => setTo(event.target.value))} />}</Field>
        <Field label={t.models} help={t.modelsHelp} className="sm:col-span-2">
          {(wiring) => <Textarea {...wiring} rows={3} spellCheck={false} className="font-mono" value={names} disabled={isBusy} onChange={(event) => edit(() => setNames(event.target.value))} />}
        </Field>
      </form>
      {job.error !== null && <p role="alert" className="mt-4 rounded-md bg-bad-soft px-3 py-2 text-[0.8125rem] text-bad">{describe(job.error)}</p>}
      {job.phase !== "asking" && <Outcome phase={job.phase} progress={job.progress} />}
    </SheetContent>
  );
}

function Outcome({ phase, progress }: { phase: Phase; progress: Progress }) {
  const t = useMessages(messages);
  const format = useFormat();
  const isBusy = phase === "counting" || phase === "writing";
  const share = isBusy ? (progress.total ? progress.lines / progress.total : 0.05) : 1;
  const difference = progress.after - progress.before;
  const words = { asking: "", counting: t.dryRun, counted: progress.changed > 0 ? t.counted : t.nothingChanges, writing: t.running, written: t.written, stopped: t.stopped }[phase];
  const rows: readonly (readonly [string, string, string?])[] = [
    [t.lines, isBusy && progress.total ? `${format.count(progress.lines)} / ${format.count(progress.total)}` : format.count(progress.lines)],
    [t.changes, format.count(progress.changed)],
    [t.without, format.count(progress.unpriced)],
    [t.before, format.usd(progress.before)],
    [t.after, format.usd(progress.after)],
    [t.difference, `${difference > 0 ? "+" : ""}${format.usd(difference)}`],
  ];
  return (
    <section className="mt-5 rounded-lg border p-4">
      <div role="progressbar" aria-label={words} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)} className="h-1.5 overflow-hidden rounded-full bg-muted">
        <div className={cn("h-full rounded-full transition-[width] duration-500", phase === "written" ? "bg-ok" : "bg-accent", isBusy && "animate-pulse")} style={{ width: `${share * 100}%` }} />
      </div>
      <p role="status" className="pt-2 text-[0.8125rem]">{words}</p>
      <dl className="mt-3 grid grid-cols-2 gap-x-6 gap-y-2 sm:grid-cols-3">
        {rows.map(([label, value]) => (
          <div key={label}>
            <dt className="text-2xs text-muted-foreground">{label}</dt>
            <dd className="font-medium tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function useReprice() {
  const queries = useQueryClient();
  const [phase, setPhase] = useState<Phase>("asking");
  const [progress, setProgress] = useState<Progress>(NO_PROGRESS);
  const [error, setError] = useState<unknown>(null);
  const [ask, setAsk] = useState<Ask | null>(null);
  const control = useRef<AbortController>(null);
  useEffect(() => () => control.current?.abort(), []);
  const run = async (next: Ask, apply: boolean) => {
    const stop = new AbortController();
    control.current = stop;
    setAsk(next);
    setError(null);
    setProgress(NO_PROGRESS);
    setPhase(apply ? "writing" : "counting");
    try {
      const isDone = await repriceAll((cursor) => repriceOnce({ ...next, apply, ...(cursor && { cursor }) }), setProgress, stop.signal);
      setPhase(isDone ? (apply ? "written" : "counted") : "stopped");
    } catch (failure) {
      setError(failure);
      setPhase("asking");
    }
    if (apply) {
      await Promise.all(["prices", "usage", "requests", "me"].map((name) => queries.invalidateQueries({ queryKey: [name] })));
    }
  };
  return { phase, progress, error, ask, run, stop: () => control.current?.abort(), reset: () => setPhase("asking") };
}
