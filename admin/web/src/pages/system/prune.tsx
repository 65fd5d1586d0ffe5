// Deletes old history by hand: counts first, says what will happen, and shows how far it is.
import { type FormEvent, useState } from "react";

import { describe, mistakesOf } from "@/api/problem";
import { PRUNABLE, type PruneAsk, type PruneResult, usePrune } from "@/api/system";
import { toast } from "@/app/toasts";
import { Confirm } from "@/components/confirm";
import { Field } from "@/components/form/field";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Input, Select } from "@/components/ui/input";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

export function Prune() {
  const t = useMessages(messages).prune;
  const format = useFormat();
  const [what, setWhat] = useState<PruneAsk["what"]>("details");
  const [days, setDays] = useState("90");
  const [counted, setCounted] = useState<PruneResult | null>(null);
  const [rows, setRows] = useState(0);
  const count = usePrune(() => undefined);
  const prune = usePrune(setRows);
  const ask = { what, olderThanDays: Number(days) };
  const mistakes = mistakesOf(count.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    count.mutate({ ...ask, dryRun: true }, { onSuccess: setCounted });
  };
  const run = () =>
    prune.mutate(
      { ...ask, dryRun: false },
      { onSuccess: (done) => toast.done(t.done(format.count(done.rows))), onError: toast.failed, onSettled: () => (setCounted(null), setRows(0)) },
    );
  return (
    <Card>
      <CardHeader title={t.title} />
      <form onSubmit={submit} noValidate className="grid items-start gap-4 p-4 sm:grid-cols-[minmax(0,1fr)_9rem_auto]">
        <Field label={t.what} help={t.helps[what]} error={mistakes.get("what")}>
          {(wiring) => (
            <Select {...wiring} value={what} onChange={(event) => setWhat(PRUNABLE.find((each) => each === event.target.value) ?? "details")}>
              {PRUNABLE.map((value) => <option key={value} value={value}>{t.whats[value]}</option>)}
            </Select>
          )}
        </Field>
        <Field label={t.days} error={mistakes.get("olderThanDays")}>
          {(wiring) => <Input {...wiring} type="number" min={what === "usage-lines" ? 62 : 1} value={days} onChange={(event) => setDays(event.target.value)} className="tabular-nums" />}
        </Field>
        <Button type="submit" className="sm:mt-[1.375rem]" disabled={count.isPending || days.trim() === ""}>{count.isPending ? t.counting : t.count}</Button>
        {count.isError && mistakes.size === 0 && <p role="alert" className="text-xs text-bad sm:col-span-3">{describe(count.error)}</p>}
      </form>
      {counted && (
        <Confirm
          title={t.confirm}
          text={
            <>
              <p>{counted.done ? t.willDelete(format.count(counted.rows), t.whats[what], format.exact(counted.before)) : t.willDeleteMore(format.count(counted.rows), t.whats[what], format.exact(counted.before))}</p>
              {prune.isPending && <p role="status" className="mt-2 font-medium tabular-nums">{t.progress(format.count(rows))}</p>}
            </>
          }
          action={prune.isPending ? t.running : t.run}
          isPending={prune.isPending || counted.rows === 0}
          onConfirm={run}
          onClose={() => setCounted(null)}
        />
      )}
    </Card>
  );
}
