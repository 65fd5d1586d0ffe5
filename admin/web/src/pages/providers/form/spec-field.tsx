// One field of the form, by its specification.
import type { Provider } from "@/api/providers";
import { AreaField, LinesField, NumberField, SelectField, SwitchField, TextField } from "@/components/form/fields";
import { useMessages } from "@/lib/i18n";
import type { Form } from "@/lib/form";

import type { FieldSpec } from "./field-list";
import { formMessages } from "./messages";
import { SpecialField } from "./special-fields";
import type { Values } from "./values";

export interface FormProps {
  form: Form<Values>;
  /** The one that is edited; none while one is made. */
  provider: Provider | undefined;
}

const WIDE = "sm:col-span-2";

export function SpecField({ spec, form, provider }: FormProps & { spec: FieldSpec }) {
  const t = useMessages(formMessages);
  const [label, help] = t.fields[spec.name];
  const common = { form, label, help };
  switch (spec.kind) {
    case "number":
      return <NumberField {...common} name={spec.name} placeholder={spec.fallback} unit={spec.unit} min={spec.min} max={spec.max} step={1} />;
    case "decimal":
      return <TextField {...common} name={spec.name} inputMode="decimal" placeholder={spec.fallback} unit={spec.unit} />;
    case "text":
      return <TextField {...common} name={spec.name} placeholder={spec.placeholder} isCode={spec.isCode} required={spec.isRequired} className={spec.isWide ? WIDE : undefined} />;
    case "area":
      return <AreaField {...common} name={spec.name} rows={2} className={WIDE} />;
    case "lines":
      return <LinesField {...common} name={spec.name} placeholder={spec.placeholder} className={spec.isWide ? WIDE : undefined} />;
    case "switch":
      return <SwitchField {...common} name={spec.name} />;
    case "mode":
      return <SelectField {...common} name={spec.name} options={(["fixed", "rolling"] as const).map((value) => ({ value, label: t.modes[value] }))} />;
    case "special":
      return <SpecialField name={spec.name} form={form} provider={provider} />;
  }
}
