// Fields of one value each, bound to a form by name.
import type { ComponentProps, ReactNode } from "react";

import { Input, Select, Textarea } from "@/components/ui/input";
import { Switch } from "@/components/ui/switch";
import { cn } from "@/lib/cn";
import type { Form, KeysOf } from "@/lib/form";

import { Field } from "./field";

interface Bound<V, T> {
  form: Form<V>;
  name: KeysOf<V, T>;
  label: string;
  help?: ReactNode;
  className?: string;
}

type TextProps<V> = Bound<V, string> &
  Pick<ComponentProps<"input">, "type" | "placeholder" | "required" | "inputMode" | "autoComplete" | "min" | "max" | "step" | "autoFocus" | "spellCheck"> & {
    /** Stands behind the value. */
    unit?: string;
    isCode?: boolean;
  };

export function TextField<V>({ form, name, label, help, className, unit, isCode, ...rest }: TextProps<V>) {
  return (
    <Field label={label} help={help} error={form.error(name)} className={className}>
      {(wiring) => (
        <div className="relative">
          <Input
            {...wiring}
            {...rest}
            name={name}
            value={form.values[name] as string}
            onChange={(event) => form.set(name, event.target.value as V[typeof name])}
            className={cn(isCode && "font-mono", unit && "pr-14", rest.type === "number" && "tabular-nums")}
          />
          {unit && <span aria-hidden className="pointer-events-none absolute top-1/2 right-2.5 -translate-y-1/2 text-xs text-muted-foreground">{unit}</span>}
        </div>
      )}
    </Field>
  );
}

/** A number as it is typed; empty stands for the default. */
export function NumberField<V>(props: Omit<TextProps<V>, "type" | "inputMode">) {
  return <TextField {...props} type="number" inputMode={props.step ? "decimal" : "numeric"} />;
}

/** US dollars; empty stands for no limit. */
export function MoneyField<V>(props: Omit<TextProps<V>, "type" | "inputMode" | "unit">) {
  return <TextField {...props} inputMode="decimal" unit="USD" />;
}

export function AreaField<V>({ form, name, label, help, className, ...rest }: Bound<V, string> & Pick<ComponentProps<"textarea">, "rows" | "placeholder">) {
  return (
    <Field label={label} help={help} error={form.error(name)} className={className}>
      {(wiring) => (
        <Textarea {...wiring} {...rest} name={name} value={form.values[name] as string} onChange={(event) => form.set(name, event.target.value as V[typeof name])} />
      )}
    </Field>
  );
}

interface SelectProps<V> extends Bound<V, string> {
  options: readonly { value: string; label: string }[];
}

export function SelectField<V>({ form, name, label, help, className, options }: SelectProps<V>) {
  return (
    <Field label={label} help={help} error={form.error(name)} className={className}>
      {(wiring) => (
        <Select {...wiring} name={name} value={form.values[name] as string} onChange={(event) => form.set(name, event.target.value as V[typeof name])}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

export function SwitchField<V>({ form, name, label, help, className }: Bound<V, boolean>) {
  return (
    <Field label={label} help={help} error={form.error(name)} className={className}>
      {(wiring) => (
        <div className="flex h-8 items-center">
          <Switch {...wiring} name={name} checked={form.values[name] as boolean} onCheckedChange={(isOn) => form.set(name, isOn as V[typeof name])} />
        </div>
      )}
    </Field>
  );
}

interface LinesProps<V> extends Bound<V, readonly string[]> {
  placeholder?: string;
  rows?: number;
}

/** A list of words, one a line. */
export function LinesField<V>({ form, name, label, help, className, placeholder, rows = 2 }: LinesProps<V>) {
  const lines = form.values[name] as readonly string[];
  return (
    <Field label={label} help={help} error={form.error(name)} className={className}>
      {(wiring) => (
        <Textarea
          {...wiring}
          name={name}
          rows={Math.max(rows, Math.min(lines.length + 1, 8))}
          placeholder={placeholder}
          spellCheck={false}
          className="font-mono"
          value={lines.join("\n")}
          onChange={(event) => form.set(name, event.target.value.split("\n") as V[typeof name])}
          onBlur={() => form.set(name, lines.map((line) => line.trim()).filter(Boolean) as V[typeof name])}
        />
      )}
    </Field>
  );
}
