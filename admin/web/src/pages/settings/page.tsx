// Settings: one object, every field grouped and explained.
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId, useState } from "react";

import { type SettingsPatch, settingsQuery, useUpdateSettings } from "@/api/settings";
import { toast } from "@/app/toasts";
import { Field } from "@/components/form/field";
import { NumberField, SelectField } from "@/components/form/fields";
import { FormFailure } from "@/components/form/form-sheet";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Input } from "@/components/ui/input";
import { Skeleton } from "@/components/ui/skeleton";
import { type Form, useForm } from "@/lib/form";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { NUMBERS, type NumberSpec, SECTIONS, type SectionName, type Values, toPatch, toValues } from "./fields";
import { messages } from "./messages";

export function SettingsPage() {
  const t = useMessages(messages);
  const query = useQuery({ ...settingsQuery, staleTime: Infinity, refetchOnWindowFocus: false });
  const update = useUpdateSettings();
  return (
    <>
      <PageHeader title={t.title} text={t.text} />
      <div className="max-w-4xl px-4 pb-24 md:px-6">
        {query.isError ? (
          <QueryFailure query={query} />
        ) : query.data ? (
          <SettingsForm key={query.data.etag} initial={toValues(query.data.value)} update={update} etag={query.data.etag} onReload={() => void query.refetch()} />
        ) : (
          <div aria-busy className="space-y-4">
            {SECTIONS.map((section) => <Skeleton key={section} className="h-40 rounded-xl" />)}
          </div>
        )}
      </div>
    </>
  );
}

interface FormProps {
  initial: Values;
  /** Lives longer than the form, which begins anew with each version. */
  update: ReturnType<typeof useUpdateSettings>;
  etag: string;
  onReload: () => void;
}

function SettingsForm({ initial: given, update, etag, onReload }: FormProps) {
  const t = useMessages(messages);
  const [round, setRound] = useState(0);
  const [initial] = useState(given);
  const submit = (patch: SettingsPatch) => {
    const back = Object.fromEntries(Object.keys(patch).map((name) => [name, toPatch(initial, [name as keyof Values])[name]]));
    update.mutate({ patch, etag }, { onSuccess: () => toast.done(t.saved, () => undo(back)) });
  };
  const undo = (patch: SettingsPatch) => update.mutate({ patch }, { onSuccess: () => toast.done(t.restored), onError: toast.failed });
  return <Fields key={round} initial={initial} error={update.error} isPending={update.isPending} onSubmit={submit} onReload={onReload} onDiscard={() => (update.reset(), setRound(round + 1))} />;
}

interface FieldsProps {
  initial: Values;
  error: unknown;
  isPending: boolean;
  onSubmit: (patch: SettingsPatch) => void;
  onReload: () => void;
  onDiscard: () => void;
}

function Fields({ initial, error, isPending, onSubmit, onReload, onDiscard }: FieldsProps) {
  const t = useMessages(messages);
  const form = useForm(initial, error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit(toPatch(form.values, form.changed) as SettingsPatch);
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-4 [&_input]:scroll-my-28 [&_select]:scroll-my-28">
      {error ? <FormFailure error={error} onReload={onReload} /> : null}
      {SECTIONS.map((section) => (
        <Section key={section} name={section}>
          {section === "time" && <TimeZone form={form} />}
          {section === "network" && (
            <SelectField
              form={form} name="egressPolicy" label={t.fields.egressPolicy[0]} help={t.fields.egressPolicy[1]}
              options={(["allow-private", "public-only"] as const).map((value) => ({ value, label: t.egress[value] }))}
            />
          )}
          {NUMBERS[section].map((spec) => <NumberSetting key={spec.name} form={form} spec={spec} />)}
        </Section>
      ))}
      {form.changed.length > 0 && (
        <div className="fixed inset-x-0 bottom-0 z-20 border-t bg-raised/95 shadow-raised backdrop-blur md:left-56">
          <div className="flex max-w-4xl items-center gap-2 px-4 py-3 md:px-6">
            <p aria-live="polite" className="flex-1 text-[0.8125rem] text-muted-foreground tabular-nums">{t.changes(form.changed.length)}</p>
            <Button onClick={onDiscard}>{t.discard}</Button>
            <Button type="submit" look="primary" disabled={isPending}>{isPending ? t.saving : t.save}</Button>
          </div>
        </div>
      )}
    </form>
  );
}

function Section({ name, children }: { name: SectionName; children: ReactNode }) {
  const t = useMessages(messages);
  const id = useId();
  const [title, help] = t.sections[name];
  return (
    <Card aria-labelledby={id} className="grid gap-x-8 gap-y-4 p-4 md:grid-cols-[13rem_minmax(0,1fr)] md:p-5">
      <div>
        <h2 id={id} className="text-sm font-semibold">{title}</h2>
        <p className="mt-0.5 text-xs text-pretty text-muted-foreground">{help}</p>
      </div>
      <div className="grid gap-x-5 gap-y-5 sm:grid-cols-2">{children}</div>
    </Card>
  );
}

function NumberSetting({ form, spec }: { form: Form<Values>; spec: NumberSpec }) {
  const t = useMessages(messages);
  const format = useFormat();
  const [label, help] = t.fields[spec.name];
  const unit = spec.unit === "turns" || spec.unit === "days" ? t[spec.unit] : spec.unit;
  const fallback = spec.unit === "B" ? format.bytes(spec.fallback) : `${format.count(spec.fallback)} ${unit}`;
  const isOther = form.values[spec.name].trim() !== String(spec.fallback);
  return (
    <NumberField
      form={form} name={spec.name} label={label} unit={unit} min={spec.min ?? 0} max={spec.max} step={1} placeholder={String(spec.fallback)}
      help={
        <>
          {help} <span className={isOther ? "whitespace-nowrap text-accent" : "whitespace-nowrap"}>{t.fallback(fallback)}.</span>
        </>
      }
    />
  );
}

function TimeZone({ form }: { form: Form<Values> }) {
  const t = useMessages(messages);
  const [label, help] = t.fields.timeZone;
  const list = useId();
  return (
    <Field label={label} help={help} error={form.error("timeZone")}>
      {(wiring) => (
        <>
          <Input {...wiring} name="timeZone" list={list} placeholder={t.environment} value={form.values.timeZone} onChange={(event) => form.set("timeZone", event.target.value)} />
          <datalist id={list}>{Intl.supportedValuesOf("timeZone").map((zone) => <option key={zone} value={zone} />)}</datalist>
        </>
      )}
    </Field>
  );
}
