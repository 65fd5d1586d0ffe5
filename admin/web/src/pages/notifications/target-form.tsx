// The form of a target. What is secret is only ever typed: an empty field keeps what is stored.
import { useState } from "react";

import { KINDS, LANGUAGES, type Target, type TargetCreate, type TargetPatch, targetQuery, useCreateTarget, useUpdateTarget } from "@/api/notifications";
import { AreaField, SelectField, SwitchField, TextField } from "@/components/form/fields";
import { FormFrame } from "@/components/form/form-sheet";
import { useForm } from "@/lib/form";
import { useMessages } from "@/lib/i18n";

import { type BodyProps, EntryForm } from "./entry-form";
import { messages } from "./messages";

interface Values {
  name: string;
  kind: string;
  url: string;
  secret: string;
  botToken: string;
  chatId: string;
  headers: string;
  template: string;
  language: string;
  isEnabled: boolean;
}

const NEW: Values = { name: "", kind: "feishu", url: "", secret: "", botToken: "", chatId: "", headers: "", template: "", language: "en", isEnabled: true };

function toValues({ name, kind, chatId, template, language, isEnabled }: Target): Values {
  return { ...NEW, name, kind, language, isEnabled, chatId: chatId ?? "", template: template ?? "" };
}

/** `Name: value`, one a line; what has no colon goes as a name, so that the gateway says what is wrong. */
function toHeaders(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(":");
      return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

function toPatch(values: Values, changed: readonly (keyof Values)[]): TargetPatch {
  const field = (key: keyof Values): unknown => {
    const value = values[key];
    if (key === "headers") return toHeaders(values.headers);
    if (typeof value !== "string" || key === "name") return value;
    return value.trim() === "" ? null : value.trim();
  };
  return Object.fromEntries(changed.map((key) => [key, field(key)]));
}

export function TargetForm() {
  const t = useMessages(messages).target;
  return <EntryForm words={t} query={targetQuery} body={Body} />;
}

function Body({ stored: target, etag, onDone, onReload }: BodyProps<Target>) {
  const { target: t, kinds, languages } = useMessages(messages);
  const create = useCreateTarget();
  const update = useUpdateTarget();
  const { error, isPending } = target ? update : create;
  const [initial] = useState<Values>(() => (target ? toValues(target) : NEW));
  const form = useForm(initial, error);
  const { kind } = form.values;
  const isBot = kind === "telegram";
  const isHook = kind === "webhook";
  const signs = kind === "feishu" || kind === "dingtalk";
  const save = () => {
    const name = form.values.name.trim();
    if (target) update.mutate({ id: target.id, patch: toPatch(form.values, form.changed), etag }, { onSuccess: () => onDone(t.saved(name)) });
    else {
      const given = new Set<keyof Values>(["name", "kind", "url", "language", "isEnabled"]);
      if (signs) given.add("secret");
      if (isBot) given.add("botToken").add("chatId");
      if (isHook) given.add("headers").add("template");
      create.mutate(toPatch(form.values, [...given]) as TargetCreate, { onSuccess: () => onDone(t.created(name)) });
    }
  };
  const kept = (isSet: boolean | undefined, help: string | undefined) => (isSet ? t.secretKept : help);
  return (
    <FormFrame changes={form.changed.length} isEdit={target !== undefined} isPending={isPending} error={error} onSubmit={save} onReload={onReload} create={t.create}>
      <div className="space-y-4 pb-4">
        <TextField form={form} name="name" label={t.name[0]} autoComplete="off" autoFocus={!target} />
        {!target && <SelectField form={form} name="kind" label={t.kind[0]} help={t.kind[1]} options={KINDS.map((value) => ({ value, label: kinds[value] }))} />}
        {isBot && <TextField form={form} name="botToken" label={t.botToken[0]} help={kept(target?.botTokenSet, t.botToken[1])} autoComplete="off" spellCheck={false} isCode />}
        {isBot && <TextField form={form} name="chatId" label={t.chatId[0]} help={t.chatId[1]} autoComplete="off" spellCheck={false} isCode />}
        <TextField
          form={form} name="url" label={isBot ? t.urlTelegram[0] : t.url[0]} autoComplete="off" spellCheck={false} isCode placeholder="https://"
          help={target?.address ? t.urlKept(target.address) : isBot ? t.urlTelegram[1] : t.url[1]}
        />
        {signs && <TextField form={form} name="secret" label={t.secret[0]} help={kept(target?.secretSet, t.secret[1])} autoComplete="off" spellCheck={false} isCode />}
        {isHook && <AreaField form={form} name="headers" label={t.headers[0]} help={target && target.headerNames.length > 0 ? t.headersKept(target.headerNames.join(", ")) : t.headers[1]} rows={2} />}
        {isHook && <AreaField form={form} name="template" label={t.template[0]} help={t.template[1]} rows={5} placeholder={'{"text": "{{title}}"}'} />}
        <SelectField form={form} name="language" label={t.language[0]} options={LANGUAGES.map((value) => ({ value, label: languages[value] }))} />
        <SwitchField form={form} name="isEnabled" label={t.isEnabled[0]} />
      </div>
    </FormFrame>
  );
}
