// The form of a rule: only what its event goes by is asked for.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { EVENTS, type Rule, type RuleCreate, type RulePatch, ruleQuery, targetsQuery, useCreateRule, useUpdateRule } from "@/api/notifications";
import { Field } from "@/components/form/field";
import { NumberField, SelectField, SwitchField, TextField } from "@/components/form/fields";
import { FormFrame } from "@/components/form/form-sheet";
import { Badge } from "@/components/ui/badge";
import { type Form, useForm } from "@/lib/form";
import { useMessages } from "@/lib/i18n";

import { type BodyProps, EntryForm } from "./entry-form";
import { messages } from "./messages";

interface Values {
  name: string;
  event: string;
  targetIds: readonly number[];
  thresholdPercent: string;
  windowMinutes: string;
  minimumRequests: string;
  reportTime: string;
  quietMinutes: string;
  isEnabled: boolean;
}

const NEW: Values = { name: "", event: "breaker-opened", targetIds: [], thresholdPercent: "", windowMinutes: "", minimumRequests: "", reportTime: "", quietMinutes: "", isEnabled: true };

function toValues(rule: Rule): Values {
  const text = (value: number | string | null | undefined) => (value === null || value === undefined ? "" : String(value));
  const { name, event, targetIds, isEnabled } = rule;
  return {
    name, event, targetIds, isEnabled,
    thresholdPercent: text(rule.thresholdPercent), windowMinutes: text(rule.windowMinutes), minimumRequests: text(rule.minimumRequests),
    reportTime: text(rule.reportTime), quietMinutes: text(rule.quietMinutes),
  };
}

const NUMBERS: readonly (keyof Values)[] = ["thresholdPercent", "windowMinutes", "minimumRequests", "quietMinutes"];

/** What changed, as the API takes it; what is no number goes as it was typed, so that the gateway says so. */
function toPatch(values: Values, keys: readonly (keyof Values)[]): RulePatch {
  const field = (key: keyof Values): unknown => {
    const value = values[key];
    if (typeof value !== "string" || key === "name") return value;
    if (value.trim() === "") return null;
    return NUMBERS.includes(key) && !Number.isNaN(Number(value)) ? Number(value) : value.trim();
  };
  return Object.fromEntries(keys.map((key) => [key, field(key)]));
}

export function RuleForm() {
  const t = useMessages(messages).rule;
  return <EntryForm words={t} query={ruleQuery} body={Body} />;
}

function Body({ stored: rule, etag, onDone, onReload }: BodyProps<Rule>) {
  const { rule: t, events } = useMessages(messages);
  const create = useCreateRule();
  const update = useUpdateRule();
  const { error, isPending } = rule ? update : create;
  const [initial] = useState<Values>(() => (rule ? toValues(rule) : NEW));
  const form = useForm(initial, error);
  const { event } = form.values;
  const isRate = event === "error-rate-jump";
  const isReport = event === "daily-report";
  const hasThreshold = isRate || event === "limit-near";
  const save = () => {
    const name = form.values.name.trim();
    if (rule) update.mutate({ id: rule.id, patch: toPatch(form.values, form.changed), etag }, { onSuccess: () => onDone(t.saved(name)) });
    else {
      const given = new Set<keyof Values>(["name", "event", "targetIds", "quietMinutes", "isEnabled"]);
      if (hasThreshold) given.add("thresholdPercent");
      if (isRate) given.add("windowMinutes").add("minimumRequests");
      if (isReport) given.add("reportTime");
      create.mutate(toPatch(form.values, [...given]) as RuleCreate, { onSuccess: () => onDone(t.created(name)) });
    }
  };
  return (
    <FormFrame changes={form.changed.length} isEdit={rule !== undefined} isPending={isPending} error={error} onSubmit={save} onReload={onReload} create={t.create}>
      <div className="space-y-4 pb-4">
        <TextField form={form} name="name" label={t.name[0]} autoComplete="off" autoFocus={!rule} />
        {!rule && <SelectField form={form} name="event" label={t.event[0]} help={t.event[1]} options={EVENTS.map((value) => ({ value, label: events[value] }))} />}
        <TargetsField form={form} />
        {hasThreshold && <NumberField form={form} name="thresholdPercent" label={t.thresholdPercent[0]} help={t.thresholdPercent[1]} min={1} max={100} step={1} placeholder={isRate ? "20" : "80"} unit="%" />}
        {isRate && <NumberField form={form} name="windowMinutes" label={t.windowMinutes[0]} help={t.windowMinutes[1]} min={1} max={120} step={1} placeholder="10" unit={t.minutes} />}
        {isRate && <NumberField form={form} name="minimumRequests" label={t.minimumRequests[0]} help={t.minimumRequests[1]} min={1} step={1} placeholder="20" />}
        {isReport && <TextField form={form} name="reportTime" type="time" label={t.reportTime[0]} help={t.reportTime[1]} />}
        {!isReport && <NumberField form={form} name="quietMinutes" label={t.quietMinutes[0]} help={t.quietMinutes[1]} min={1} max={10_080} step={1} placeholder="30" unit={t.minutes} />}
        <SwitchField form={form} name="isEnabled" label={t.isEnabled[0]} />
      </div>
    </FormFrame>
  );
}

/** A box for each target. */
function TargetsField({ form }: { form: Form<Values> }) {
  const { rule: t, kinds } = useMessages(messages);
  const targets = useQuery(targetsQuery).data ?? [];
  const chosen = form.values.targetIds;
  const turn = (id: number, isOn: boolean) => form.set("targetIds", isOn ? [...chosen, id] : chosen.filter((each) => each !== id));
  return (
    <Field label={t.targetIds[0]} help={t.targetIds[1]} error={form.error("targetIds")} isGroup>
      {() => (
        <div className="divide-y rounded-md border">
          {targets.length === 0 && <p className="px-3 py-2 text-xs text-muted-foreground">–</p>}
          {targets.map(({ id, name, kind }) => (
            <label key={id} className="flex min-h-9 items-center gap-2.5 px-3 py-1.5 text-[0.8125rem]">
              <input type="checkbox" className="size-4 accent-accent" checked={chosen.includes(id)} onChange={(event) => turn(id, event.target.checked)} />
              <span className="min-w-0 flex-1 truncate">{name}</span>
              <Badge>{kinds[kind]}</Badge>
            </label>
          ))}
        </div>
      )}
    </Field>
  );
}
