// The figures a price is made of, in the order they are read, and what a table changes of them.
import type { Price, PriceInput, PriceTier } from "@/api/prices";

export const TOKEN_FIGURES = [
  "inputPerMillionUsd",
  "outputPerMillionUsd",
  "cacheReadPerMillionUsd",
  "cacheWrite5mPerMillionUsd",
  "cacheWrite1hPerMillionUsd",
  "reasoningPerMillionUsd",
  "imageInputPerMillionUsd",
  "imageOutputPerMillionUsd",
] as const;
export const UNIT_FIGURES = ["perRequestUsd", "perImageUsd", "perInputImageUsd"] as const;
export const FIGURES = [...TOKEN_FIGURES, ...UNIT_FIGURES] as const;
export type Figure = (typeof FIGURES)[number];
export type Figures = Pick<Price | PriceTier, Figure>;

/** The figures that are listed. */
export function listed(figures: Figures): [Figure, string][] {
  return FIGURES.flatMap((name) => {
    const value = figures[name];
    return value === undefined || value === null ? [] : [[name, value]];
  });
}

const decimal = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 9 });

/** $3.00, and as many decimals as it has. */
export function dollars(value: string | undefined | null): string {
  return value === undefined || value === null ? "—" : `$${decimal.format(Number(value))}`;
}

export interface FigureChange {
  name: string;
  before: string | null;
  after: string | null;
}

function read(text: string | null | undefined): Map<string, string> {
  const found = new Map<string, string>();
  for (const word of (text ?? "").split(/\s+/)) {
    const at = word.lastIndexOf("=");
    if (at > 0) found.set(word.slice(0, at), word.slice(at + 1));
  }
  return found;
}

/** Puts `input=3 output=15` beside another: every figure of both, those that are the same too. */
export function changesOf(before: string | null | undefined, after: string | null | undefined): FigureChange[] {
  const old = read(before);
  const fresh = read(after);
  return [...new Set([...old.keys(), ...fresh.keys()])].map((name) => ({ name, before: old.get(name) ?? null, after: fresh.get(name) ?? null }));
}

/** What a form holds: every figure as typed, empty for none. */
export type FormFigures = Record<Figure, string>;

export function toForm(figures: Partial<Figures>): FormFigures {
  return Object.fromEntries(FIGURES.map((name) => [name, figures[name] ?? ""])) as FormFigures;
}

/** What is sent: the figures that were filled in. */
export function fromForm(form: Partial<FormFigures>): Partial<PriceInput> {
  return Object.fromEntries(FIGURES.flatMap((name) => (form[name]?.trim() ? [[name, form[name].trim()]] : [])));
}
