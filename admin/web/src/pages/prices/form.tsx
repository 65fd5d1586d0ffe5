// A price set by hand: figures for tokens, for requests and images, and for long prompts and tiers of service.
import { useQuery } from "@tanstack/react-query";
import { PlusIcon, XIcon } from "lucide-react";
import { type FormEvent, type ReactNode, useMemo } from "react";

import { type Price, type PriceInput, SERVICE_TIERS, type ServiceTier, type TierInput, unpricedQuery, usePutPrice, versionedPriceQuery } from "@/api/prices";
import { describe } from "@/api/problem";
import { toast } from "@/app/toasts";
import { FieldSection } from "@/components/form/field";
import { LinesField, MoneyField, TextField } from "@/components/form/fields";
import { Button } from "@/components/ui/button";
import { SheetContent } from "@/components/ui/dialog";
import { Input, Select } from "@/components/ui/input";
import { Skeleton } from "@/components/ui/skeleton";
import { type Form, useForm } from "@/lib/form";
import { useMessages } from "@/lib/i18n";

import { type FormFigures, TOKEN_FIGURES, UNIT_FIGURES, fromForm, toForm } from "./figures";
import { messages } from "./messages";

interface Tier extends FormFigures {
  aboveTokens: string;
  serviceTier: ServiceTier;
}

interface Values extends FormFigures {
  model: string;
  effectiveAt: string;
  aliases: readonly string[];
  tiers: readonly Tier[];
}

const FORM = "price-form";
/** What tiers are mostly made of; others stay as they are. */
const TIER_FIGURES = TOKEN_FIGURES.slice(0, 5);

interface Props {
  /** Null for a new one. */
  model: string | null;
  onClose: () => void;
}

export function PriceForm({ model, onClose }: Props) {
  // What is known to have no price is not asked for.
  const unpriced = useQuery({ ...unpricedQuery, enabled: model !== null });
  const isUnpriced = unpriced.data?.some((each) => each.model === model && !each.hasPriceNow) === true;
  const price = useQuery({ ...versionedPriceQuery(model ?? ""), enabled: model !== null && unpriced.isFetched && !isUnpriced, staleTime: 0 });
  if (model !== null && !isUnpriced && !price.isFetched) return <Waiting />;
  const value = price.data?.value;
  return <Loaded model={model} price={value ?? null} etag={value?.source === "manual" ? price.data?.etag : undefined} onClose={onClose} />;
}

function Waiting() {
  const t = useMessages(messages);
  return (
    <SheetContent title={t.newTitle} description={t.formText}>
      <div aria-busy className="space-y-4">
        {Array.from({ length: 6 }, (_, index) => (
          <Skeleton key={index} className="h-8" />
        ))}
      </div>
    </SheetContent>
  );
}

function Loaded({ model, price, etag, onClose }: Props & { price: Price | null; etag: string | undefined }) {
  const t = useMessages(messages);
  const put = usePutPrice();
  const initial = useMemo<Values>(
    () => ({
      model: model ?? "",
      effectiveAt: "",
      aliases: price?.aliases ?? [],
      ...toForm(price ?? {}),
      tiers: price?.tiers.map((tier) => ({ ...toForm(tier), aboveTokens: String(tier.aboveTokens || ""), serviceTier: tier.serviceTier })) ?? [],
    }),
    // What is edited is what was read first.
    [model],
  );
  const form = useForm(initial, put.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const name = form.values.model.trim();
    put.mutate(
      { model: name, input: inputOf(form.values), etag },
      {
        onSuccess: () => {
          toast.done(t.saved(name));
          onClose();
        },
      },
    );
  };
  return (
    <SheetContent
      title={model === null ? t.newTitle : t.editTitle(model)}
      description={t.formText}
      footer={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" type="submit" form={FORM} disabled={put.isPending}>{put.isPending ? t.saving : t.save}</Button>
        </>
      }
    >
      <form id={FORM} onSubmit={submit}>
        {put.error && <p role="alert" className="mb-4 rounded-md bg-bad-soft px-3 py-2 text-[0.8125rem] text-bad">{describe(put.error)}</p>}
        {model === null && (
          <div className="pb-5">
            <TextField form={form} name="model" label={t.model} help={t.modelHelp} required autoFocus isCode spellCheck={false} />
          </div>
        )}
        <FieldSection title={t.tokens} help={t.tokensHelp}>
          {TOKEN_FIGURES.map((name) => (
            <MoneyField key={name} form={form} name={name} label={t.figures[name]} autoComplete="off" />
          ))}
        </FieldSection>
        <FieldSection title={t.units} help={t.unitsHelp}>
          {UNIT_FIGURES.map((name) => (
            <MoneyField key={name} form={form} name={name} label={t.figures[name]} autoComplete="off" />
          ))}
        </FieldSection>
        <FieldSection title={t.longPrompts} help={t.tiersHelp}>
          <Tiers form={form} />
        </FieldSection>
        <FieldSection title={t.rules}>
          <TextField form={form} name="effectiveAt" type="datetime-local" label={t.effectiveAt} help={t.effectiveAtHelp} />
          <LinesField form={form} name="aliases" label={t.aliases} help={t.aliasesHelp} />
        </FieldSection>
      </form>
    </SheetContent>
  );
}

function inputOf(values: Values): PriceInput {
  return {
    ...fromForm(values),
    aliases: [...values.aliases],
    tiers: values.tiers.map((tier): TierInput => ({ ...fromForm(tier), serviceTier: tier.serviceTier, aboveTokens: Number(tier.aboveTokens) || 0 })),
    ...(values.effectiveAt && { effectiveAt: new Date(values.effectiveAt).toISOString() }),
  };
}

function Tiers({ form }: { form: Form<Values> }) {
  const t = useMessages(messages);
  const { tiers } = form.values;
  const change = (at: number, part: Partial<Tier>) => form.set("tiers", tiers.map((tier, index) => (index === at ? { ...tier, ...part } : tier)));
  const problem = form.error("tiers");
  return (
    <div className="space-y-3 sm:col-span-2">
      {tiers.map((tier, at) => (
        <fieldset key={at} className="rounded-lg border p-3">
          <legend className="sr-only">{t.tier(at + 1)}</legend>
          <div className="flex items-end gap-2">
            <Small label={t.serviceTier}>
              <Select value={tier.serviceTier} onChange={(event) => change(at, { serviceTier: SERVICE_TIERS.find((each) => each === event.target.value) ?? "standard" })}>
                {SERVICE_TIERS.map((each) => (
                  <option key={each}>{each}</option>
                ))}
              </Select>
            </Small>
            <Small label={t.aboveTokens}>
              <Input type="number" min={0} inputMode="numeric" value={tier.aboveTokens} onChange={(event) => change(at, { aboveTokens: event.target.value })} className="tabular-nums" />
            </Small>
            <Button look="ghost" size="icon" aria-label={t.removeTier(at + 1)} onClick={() => form.set("tiers", tiers.filter((_, index) => index !== at))}>
              <XIcon />
            </Button>
          </div>
          <div className="mt-2 grid grid-cols-2 gap-2 sm:grid-cols-5">
            {TIER_FIGURES.map((name) => (
              <Small key={name} label={t.figures[name]}>
                <Input inputMode="decimal" value={tier[name]} onChange={(event) => change(at, { [name]: event.target.value })} className="tabular-nums" />
              </Small>
            ))}
          </div>
        </fieldset>
      ))}
      {problem && <p className="text-xs text-bad">{problem}</p>}
      <Button size="small" onClick={() => form.set("tiers", [...tiers, { ...toForm({}), aboveTokens: "200000", serviceTier: "standard" }])}>
        <PlusIcon /> {t.addTier}
      </Button>
    </div>
  );
}

function Small({ label, children }: { label: string; children: ReactNode }) {
  return (
    <label className="block min-w-0 flex-1 space-y-1">
      <span className="block truncate text-2xs text-muted-foreground">{label}</span>
      {children}
    </label>
  );
}
