// The fields that are like no other: secrets, hours, rules, pairs.
import { PROVIDER_TYPES } from "@/api/providers";
import { SelectField, SwitchField, TextField } from "@/components/form/fields";
import { Field } from "@/components/form/field";
import { RowList } from "@/components/form/row-list";
import { Input, Select } from "@/components/ui/input";
import { useMessages } from "@/lib/i18n";

import { messages } from "../messages";
import type { SpecialName } from "./field-list";
import { formMessages } from "./messages";
import type { FormProps } from "./spec-field";
import { MATCH_KINDS, type MatchKind, type RedirectRow, type RuleRow } from "./values";

const WIDE = "sm:col-span-2";

export function SpecialField({ name, form, provider }: FormProps & { name: SpecialName }) {
  const t = useMessages(formMessages);
  const { types } = useMessages(messages);
  const [label, help] = t.fields[name];
  const common = { form, label, help };
  switch (name) {
    case "type":
      return <SelectField {...common} name="type" options={PROVIDER_TYPES.map((value) => ({ value, label: types[value] }))} />;
    case "apiKey":
      return <TextField {...common} name="apiKey" type="password" autoComplete="off" isCode className={WIDE} required={!provider} placeholder={provider?.apiKeySet ? "••••••••••••" : undefined} />;
    case "proxyUrl":
      return <TextField {...common} name="proxyUrl" autoComplete="off" isCode className={WIDE} placeholder={provider?.proxy ?? "socks5h://127.0.0.1:1080"} />;
    case "removesProxy":
      return provider?.proxy ? <SwitchField {...common} name="removesProxy" /> : null;
    case "healthCheck.kind":
      return <SelectField {...common} name="healthCheck.kind" options={(["off", "tcp", "http"] as const).map((value) => ({ value, label: t.checks[value] }))} />;
    case "activeTime":
      return <ActiveTime form={form} />;
    case "allowedModels":
      return <AllowedModels form={form} />;
    case "modelRedirects":
      return <ModelRedirects form={form} />;
    case "groupPriorities":
      return <Pairs form={form} name="groupPriorities" parts={[t.part.group, t.part.priority]} isNumber />;
    case "customHeaders":
      return <Pairs form={form} name="customHeaders" parts={[t.part.name, t.part.value]} className={WIDE} />;
  }
}

type Part = Pick<FormProps, "form">;

function ActiveTime({ form }: Part) {
  const t = useMessages(formMessages);
  const [label, help] = t.fields.activeTime;
  const error = form.error("activeTime.start") ?? form.error("activeTime.end");
  return (
    <Field label={label} help={help} error={error} isGroup>
      {() => (
        <div className="flex items-center gap-2">
          {(["activeTime.start", "activeTime.end"] as const).map((name, index) => (
            <Input key={name} type="time" aria-label={`${label} ${index + 1}`} aria-invalid={error ? true : undefined} value={form.values[name]} onChange={(event) => form.set(name, event.target.value)} />
          ))}
        </div>
      )}
    </Field>
  );
}

function MatchSelect({ value, onChange, label }: { value: MatchKind; onChange: (match: MatchKind) => void; label: string }) {
  const t = useMessages(formMessages);
  return (
    <Select aria-label={`${label}: ${t.part.match}`} value={value} onChange={(event) => onChange(event.target.value as MatchKind)} className="w-28 shrink-0">
      {MATCH_KINDS.map((kind) => (
        <option key={kind} value={kind}>
          {t.match[kind]}
        </option>
      ))}
    </Select>
  );
}

function AllowedModels({ form }: Part) {
  const t = useMessages(formMessages);
  const [label, help] = t.fields.allowedModels;
  return (
    <RowList<RuleRow> label={label} help={help} error={form.error("allowedModels")} className={WIDE} rows={form.values.allowedModels} onChange={(rows) => form.set("allowedModels", rows)} blank={{ match: "exact", pattern: "" }}>
      {(row, change, name) => (
        <>
          <MatchSelect label={name} value={row.match} onChange={(match) => change({ match })} />
          <Input aria-label={`${name}: ${t.part.pattern}`} value={row.pattern} onChange={(event) => change({ pattern: event.target.value })} className="font-mono" />
        </>
      )}
    </RowList>
  );
}

function ModelRedirects({ form }: Part) {
  const t = useMessages(formMessages);
  const [label, help] = t.fields.modelRedirects;
  return (
    <RowList<RedirectRow> label={label} help={help} error={form.error("modelRedirects")} className={WIDE} rows={form.values.modelRedirects} onChange={(rows) => form.set("modelRedirects", rows)} blank={{ match: "exact", source: "", target: "" }}>
      {(row, change, name) => (
        <>
          <MatchSelect label={name} value={row.match} onChange={(match) => change({ match })} />
          <Input aria-label={`${name}: ${t.part.source}`} value={row.source} onChange={(event) => change({ source: event.target.value })} className="font-mono" />
          <span aria-hidden className="text-muted-foreground">→</span>
          <Input aria-label={`${name}: ${t.part.target}`} value={row.target} onChange={(event) => change({ target: event.target.value })} className="font-mono" />
        </>
      )}
    </RowList>
  );
}

interface PairsProps extends Part {
  name: "groupPriorities" | "customHeaders";
  parts: readonly [string, string];
  isNumber?: boolean;
  className?: string;
}

function Pairs({ form, name, parts, isNumber, className }: PairsProps) {
  const t = useMessages(formMessages);
  const [label, help] = t.fields[name];
  return (
    <RowList label={label} help={help} error={form.error(name)} className={className} rows={form.values[name]} onChange={(rows) => form.set(name, rows)} blank={{ name: "", value: "" }}>
      {(row, change, at) => (
        <>
          <Input aria-label={`${at}: ${parts[0]}`} placeholder={parts[0]} value={row.name} onChange={(event) => change({ name: event.target.value })} />
          <Input aria-label={`${at}: ${parts[1]}`} placeholder={parts[1]} inputMode={isNumber ? "numeric" : undefined} value={row.value} onChange={(event) => change({ value: event.target.value })} />
        </>
      )}
    </RowList>
  );
}
