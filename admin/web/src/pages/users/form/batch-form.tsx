// The same change of many users: only the fields that are ticked are changed.
import { type ReactNode, useState } from "react";

import { mistakesOf } from "@/api/problem";
import { useUpdateUsers } from "@/api/users";
import { useGroupNames } from "@/api/groups";
import { toast } from "@/app/toasts";
import { ExpiryField } from "@/components/form/expiry-field";
import { FieldSection } from "@/components/form/field";
import { MoneyField, NumberField, SelectField } from "@/components/form/fields";
import { FormFrame, FormSheet } from "@/components/form/form-sheet";
import { TokensField } from "@/components/form/tokens-field";
import { Checkbox } from "@/components/ui/switch";
import { cn } from "@/lib/cn";
import { type Form, useForm } from "@/lib/form";
import { useMessages } from "@/lib/i18n";
import { useStore } from "@/lib/store";

import { messages } from "../messages";
import { clearSelection, selection } from "../selection";
import { formMessages } from "./messages";
import { COUNTS, MONEY, NEW_USER, type UserValues, userPatch } from "./values";

export function BatchForm({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const t = useMessages(messages).batch;
  const count = useStore(selection).size;
  return (
    <FormSheet title={t.title(count)} description={t.text} isOpen={isOpen && count > 0} onClose={onClose}>
      <Body onDone={onClose} />
    </FormSheet>
  );
}

function Body({ onDone }: { onDone: () => void }) {
  const t = useMessages(messages).batch;
  const { fields: f, sections: s, ...words } = useMessages(formMessages);
  const ids = [...useStore(selection)];
  const groups = useGroupNames();
  const update = useUpdateUsers();
  const [picked, setPicked] = useState<ReadonlySet<keyof UserValues>>(new Set());
  const form = atChanges(useForm(NEW_USER, null), update.error);
  const save = () =>
    update.mutate({ ids, changes: userPatch(form.values, [...picked]) }, { onSuccess: ({ items }) => (toast.done(t.done(items.length)), clearSelection(), onDone()) });
  const pick = (name: keyof UserValues, label: string, field: ReactNode, isWide = false) => (
    <Pick
      key={name} label={t.change(label)} isPicked={picked.has(name)} isWide={isWide}
      onPick={(on) => setPicked((before) => new Set(on ? [...before, name] : [...before].filter((each) => each !== name)))}
    >
      {field}
    </Pick>
  );
  return (
    <FormFrame changes={picked.size} isEdit isPending={update.isPending} error={update.error} onSubmit={save}>
      <FieldSection title={s.money[0]} help={s.money[1]}>
        {MONEY.map((name) => pick(name, f[name][0], <MoneyField form={form} name={name} label={f[name][0]} placeholder={words.noLimit} />))}
      </FieldSection>
      <FieldSection title={s.pace[0]} help={s.pace[1]}>
        {COUNTS.map((name) => pick(name, f[name][0], <NumberField form={form} name={name} label={f[name][0]} placeholder={words.noLimit} min={0} step={1} />))}
      </FieldSection>
      <FieldSection title={s.access[0]} help={s.access[1]}>
        {pick("tags", f.tags[0], <TokensField form={form} name="tags" label={f.tags[0]} />)}
        {pick("providerGroup", f.providerGroup[0], <TokensField form={form} name="providerGroup" label={f.providerGroup[0]} suggestions={groups} placeholder="default" />)}
        {pick("allowedModels", f.allowedModels[0], <TokensField form={form} name="allowedModels" label={f.allowedModels[0]} isCode />)}
        {pick("role", f.role[0], <SelectField form={form} name="role" label={f.role[0]} options={(["user", "admin"] as const).map((value) => ({ value, label: words.roles[value] }))} />)}
      </FieldSection>
      <FieldSection title={s.time[0]} help={s.time[1]}>
        {pick("expiresAt", f.expiresAt[0], <ExpiryField form={form} name="expiresAt" label={f.expiresAt[0]} />, true)}
      </FieldSection>
    </FormFrame>
  );
}

/** The API names mistakes of a batch `changes.rpm`; the form knows the field as `rpm`. */
function atChanges(form: Form<UserValues>, failure: unknown): Form<UserValues> {
  const mistakes = [...mistakesOf(failure)];
  return { ...form, error: (key) => mistakes.find(([path]) => path === `changes.${key}` || path.startsWith(`changes.${key}[`))?.[1] };
}

interface PickProps {
  label: string;
  isPicked: boolean;
  isWide: boolean;
  onPick: (isPicked: boolean) => void;
  children: ReactNode;
}

function Pick({ label, isPicked, isWide, onPick, children }: PickProps) {
  return (
    <div className={cn("flex min-w-0 gap-2.5", isWide && "sm:col-span-2")}>
      <Checkbox aria-label={label} checked={isPicked} onCheckedChange={(on) => onPick(on === true)} className="mt-0.5" />
      <div onFocus={() => !isPicked && onPick(true)} className={cn("min-w-0 flex-1", !isPicked && "[&_input]:text-muted-foreground")}>{children}</div>
    </div>
  );
}
