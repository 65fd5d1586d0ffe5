// The state of a form. Values are flat: the keys are the paths the API names its fields and mistakes by (`timeouts.connectMs`), so that a
// refusal finds its field by itself.
import { useEffect, useMemo, useState } from "react";

import { mistakesOf } from "@/api/problem";

export interface Form<V> {
  values: V;
  set: <K extends keyof V>(key: K, value: V[K]) => void;
  /** What is wrong with a field or a part of it. */
  error: (key: keyof V) => string | undefined;
  /** The keys whose values differ from the first ones. */
  changed: readonly (keyof V)[];
}

/** The keys of `V` whose values are a `T`. */
export type KeysOf<V, T> = { [K in keyof V]: V[K] extends T ? (T extends V[K] ? K : V[K] extends string ? K : never) : never }[keyof V] & string;

/**
 * `failure` is what the last attempt to save threw: a field's mistake goes when the field is edited. `baseline` is what counts as
 * unchanged, where that is not what the form begins with.
 */
export function useForm<V extends object>(initial: V, failure: unknown, baseline: V = initial): Form<V> {
  const [values, setValues] = useState(initial);
  const [edited, setEdited] = useState<ReadonlySet<keyof V>>(new Set());
  const mistakes = useMemo(() => mistakesOf(failure), [failure]);
  useEffect(() => {
    setEdited(new Set());
    if (mistakes.size === 0) return;
    const frame = requestAnimationFrame(() => document.querySelector<HTMLElement>("form [aria-invalid=true]")?.focus());
    return () => cancelAnimationFrame(frame);
  }, [mistakes]);
  const changed = useMemo(
    () => (Object.keys(values) as (keyof V)[]).filter((key) => JSON.stringify(values[key]) !== JSON.stringify(baseline[key])),
    [values, baseline],
  );
  return {
    values,
    changed,
    set: (key, value) => {
      setValues((before) => ({ ...before, [key]: value }));
      setEdited((before) => new Set(before).add(key));
    },
    error: (key) => (edited.has(key) ? undefined : mistakeAt(mistakes, String(key))),
  };
}

function mistakeAt(mistakes: ReadonlyMap<string, string>, key: string): string | undefined {
  const exact = mistakes.get(key);
  if (exact !== undefined) return exact;
  for (const [path, message] of mistakes) {
    if (path.startsWith(`${key}[`) || path.startsWith(`${key}.`)) return `${path.slice(key.length).replace(/^\./, "")}: ${message}`;
  }
  return undefined;
}

/** `{"a.b": 1, c: 2}` to `{a: {b: 1}, c: 2}`. */
export function nested(flat: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const whole: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const [head = "", ...rest] = path.split(".");
    if (rest.length === 0) {
      whole[head] = value;
      continue;
    }
    const part = (whole[head] ??= {}) as Record<string, unknown>;
    part[rest.join(".")] = value;
  }
  return whole;
}
