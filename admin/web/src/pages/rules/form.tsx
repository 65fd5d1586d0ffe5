// The form of an error rule.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";

import {
  type ErrorRule, type ErrorRuleCreate, type ErrorRulePatch, FAULTS, MATCHES, errorRuleQuery, useCreateErrorRule, useUpdateErrorRule,
} from "@/api/error-rules";
import { providersQuery } from "@/api/providers";
import { toast } from "@/app/toasts";
import { AreaField, NumberField, SelectField, SwitchField, TextField } from "@/components/form/fields";
import { FieldSection } from "@/components/form/field";
import { FormFrame, FormSheet, FormSkeleton } from "@/components/form/form-sheet";
import { QueryFailure } from "@/components/query-failure";
import { useForm } from "@/lib/form";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

const route = getRouteApi("/app/rules");
const WIDE = "sm:col-span-2";

interface Values {
  name: string;
  match: string;
  pattern: string;
  priority: string;
  providerId: string;
  isEnabled: boolean;
  fault: string;
  overrideStatus: string;
  overrideMessage: string;
}

const NEW: Values = { name: "", match: "contains", pattern: "", priority: "", providerId: "", isEnabled: true, fault: "provider", overrideStatus: "", overrideMessage: "" };

function toValues(rule: ErrorRule): Values {
  const { name, match, pattern, isEnabled, fault } = rule;
  const text = (value: number | string | null | undefined) => (value === null || value === undefined ? "" : String(value));
  return { name, match, pattern, isEnabled, fault, priority: text(rule.priority), providerId: text(rule.providerId), overrideStatus: text(rule.overrideStatus), overrideMessage: text(rule.overrideMessage) };
}

const NUMBERS: readonly (keyof Values)[] = ["priority", "providerId", "overrideStatus"];

/** What changed, as the API takes it; what is no number goes as it was typed, so that the gateway says so. */
function toPatch(values: Values, changed: readonly (keyof Values)[]): ErrorRulePatch {
  const field = (key: keyof Values): unknown => {
    const value = values[key];
    if (typeof value !== "string") return value;
    if (key === "pattern") return value;
    if (value.trim() === "" && key !== "name") return null;
    return NUMBERS.includes(key) && !Number.isNaN(Number(value)) ? Number(value) : value.trim();
  };
  return Object.fromEntries(changed.map((key) => [key, field(key)]));
}

export function RuleForm() {
  const t = useMessages(messages).form;
  const { edit, create } = route.useSearch();
  const navigate = route.useNavigate();
  const source = edit ?? (typeof create === "number" ? create : undefined);
  const isOpen = edit !== undefined || create !== undefined;
  const query = useQuery({ ...errorRuleQuery(source ?? 0), enabled: source !== undefined, staleTime: Infinity, gcTime: 0 });
  const version = query.data;
  const close = () => void navigate({ search: ({ edit: _edit, create: _create, ...rest }) => rest });
  return (
    <FormSheet title={edit === undefined ? t.create : t.edit(version?.value.name ?? "")} isOpen={isOpen} onClose={close}>
      {source !== undefined && query.isError ? (
        <QueryFailure query={query} />
      ) : source !== undefined && !version ? (
        <FormSkeleton fields={8} />
      ) : (
        <Body key={`${source ?? "new"} ${version?.etag ?? ""}`} source={version?.value} etag={edit === undefined ? undefined : version?.etag} onDone={close} onReload={() => void query.refetch()} />
      )}
    </FormSheet>
  );
}

interface BodyProps {
  source: ErrorRule | undefined;
  /** The version that is edited; none when one is made. */
  etag: string | undefined;
  onDone: () => void;
  onReload: () => void;
}

function Body({ source, etag, onDone, onReload }: BodyProps) {
  const { form: t, faults, matches, everyProvider } = useMessages(messages);
  const providers = useQuery(providersQuery).data ?? [];
  const create = useCreateErrorRule();
  const update = useUpdateErrorRule();
  const isEdit = etag !== undefined && source !== undefined;
  const { error, isPending } = isEdit ? update : create;
  const [initial] = useState<Values>(() => (!source ? NEW : isEdit ? toValues(source) : { ...toValues(source), name: t.copy(source.name) }));
  const form = useForm(initial, error);
  const save = () => {
    const name = form.values.name.trim();
    const done = (words: string) => () => {
      toast.done(words);
      onDone();
    };
    if (isEdit) update.mutate({ id: source.id, patch: toPatch(form.values, form.changed), etag }, { onSuccess: done(t.saved(name)) });
    else create.mutate(toPatch(form.values, Object.keys(form.values) as (keyof Values)[]) as ErrorRuleCreate, { onSuccess: done(t.created(name)) });
  };
  return (
    <FormFrame changes={form.changed.length} isEdit={isEdit} isPending={isPending} error={error} onSubmit={save} onReload={onReload} create={t.create}>
      <FieldSection title={t.what[0]} help={t.what[1]}>
        <TextField form={form} name="name" label={t.name[0]} help={t.name[1]} autoComplete="off" autoFocus={!source} />
        <SelectField
          form={form} name="providerId" label={t.providerId[0]} help={t.providerId[1]}
          options={[{ value: "", label: everyProvider }, ...providers.map(({ id, name }) => ({ value: String(id), label: name }))]}
        />
        <SelectField form={form} name="match" label={t.match[0]} help={t.match[1]} options={MATCHES.map((value) => ({ value, label: matches[value] }))} />
        <NumberField form={form} name="priority" label={t.priority[0]} help={t.priority[1]} placeholder="0" step={1} />
        <TextField form={form} name="pattern" label={t.pattern[0]} help={t.pattern[1]} isCode spellCheck={false} className={WIDE} />
        <SwitchField form={form} name="isEnabled" label={t.isEnabled[0]} help={t.isEnabled[1]} />
      </FieldSection>
      <FieldSection title={t.then[0]} help={t.then[1]}>
        <SelectField
          form={form} name="fault" label={t.fault[0]} className={WIDE}
          help={faults[FAULTS.find((fault) => fault === form.values.fault) ?? "provider"][1]}
          options={FAULTS.map((value) => ({ value, label: faults[value][0] }))}
        />
      </FieldSection>
      <FieldSection title={t.told[0]} help={t.told[1]}>
        <NumberField form={form} name="overrideStatus" label={t.overrideStatus[0]} help={t.overrideStatus[1]} min={400} max={599} step={1} />
        <AreaField form={form} name="overrideMessage" label={t.overrideMessage[0]} help={t.overrideMessage[1]} rows={3} className={WIDE} />
      </FieldSection>
    </FormFrame>
  );
}
