// The end of something's time: a moment in the browser's time zone, or none, with what is usual one press away.
import type { ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import type { Form, KeysOf } from "@/lib/form";
import { defineMessages, useMessages } from "@/lib/i18n";

import { Field } from "./field";

const messages = defineMessages({
  en: { days: (days: number) => (days === 365 ? "1 year" : `${days} days`), never: "Never" },
  zh: { days: (days) => (days === 365 ? "1 年" : `${days} 天`), never: "永不" },
});

export const SPANS = [7, 30, 90, 365] as const;
const DAY = 86_400_000;

/** `2026-03-01T12:00` of the browser's time zone; what its field takes. */
export function toLocal(time: string | null | undefined): string {
  if (!time) return "";
  const at = new Date(time);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What the API takes; what is no time goes as it was typed. */
export function fromLocal(local: string): string | null {
  if (local.trim() === "") return null;
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? local : at.toISOString();
}

/** So many days on from the end as it is, or from now where that is past. */
export function later(days: number, from?: string | null): string {
  const start = Math.max(Date.now(), from ? Date.parse(from) : 0);
  return new Date(start + days * DAY).toISOString();
}

interface Props<V> {
  form: Form<V>;
  name: KeysOf<V, string>;
  label: string;
  help?: ReactNode;
  className?: string;
}

export function ExpiryField<V>({ form, name, label, help, className }: Props<V>) {
  const t = useMessages(messages);
  const set = (local: string) => form.set(name, local as V[typeof name]);
  return (
    <Field label={label} help={help} error={form.error(name)} className={className}>
      {(wiring) => (
        <div className="flex flex-wrap items-center gap-1.5">
          <Input {...wiring} type="datetime-local" name={name} value={form.values[name] as string} onChange={(event) => set(event.target.value)} className="w-56" />
          {SPANS.map((days) => (
            <Button key={days} size="small" onClick={() => set(toLocal(later(days)))}>
              {t.days(days)}
            </Button>
          ))}
          <Button size="small" look="ghost" onClick={() => set("")}>
            {t.never}
          </Button>
        </div>
      )}
    </Field>
  );
}
