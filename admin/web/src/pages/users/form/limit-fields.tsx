// The limits, which users and keys have alike.
import { MoneyField, NumberField, SelectField, TextField } from "@/components/form/fields";
import { FieldSection } from "@/components/form/field";
import type { Form } from "@/lib/form";
import { useMessages } from "@/lib/i18n";

import { formMessages } from "./messages";
import { COUNTS, type LimitValues, MONEY } from "./values";

export function LimitFields({ form, moneyHelp }: { form: Form<LimitValues>; moneyHelp?: string }) {
  const t = useMessages(formMessages);
  const { fields: f, sections: s } = t;
  const modes = (["fixed", "rolling"] as const).map((value) => ({ value, label: t.modes[value] }));
  return (
    <>
      <FieldSection title={s.money[0]} help={moneyHelp ?? s.money[1]}>
        {MONEY.map((name) => (
          <MoneyField key={name} form={form} name={name} label={f[name][0]} help={f[name][1] || undefined} placeholder={t.noLimit} />
        ))}
      </FieldSection>
      <FieldSection title={s.windows[0]} help={s.windows[1]}>
        <SelectField form={form} name="limit5hResetMode" label={f.limit5hResetMode[0]} help={f.limit5hResetMode[1]} options={modes} className="sm:col-span-2" />
        <SelectField form={form} name="dailyResetMode" label={f.dailyResetMode[0]} help={f.dailyResetMode[1]} options={modes} />
        <TextField form={form} name="dailyResetTime" label={f.dailyResetTime[0]} help={f.dailyResetTime[1]} placeholder="00:00" />
      </FieldSection>
      <FieldSection title={s.pace[0]} help={s.pace[1]}>
        {COUNTS.map((name) => (
          <NumberField key={name} form={form} name={name} label={f[name][0]} help={f[name][1]} placeholder={t.noLimit} min={0} step={1} />
        ))}
      </FieldSection>
    </>
  );
}
