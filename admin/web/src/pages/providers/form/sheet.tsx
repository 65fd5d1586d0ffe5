// The form of a provider, beside the table. The address says which one it is about.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useRef, useState } from "react";

import { ProblemError, describe } from "@/api/problem";
import { type Provider, type ProviderCreate, providerQuery, useCreateProvider, useUpdateProvider } from "@/api/providers";
import { toast } from "@/app/toasts";
import { Confirm } from "@/components/confirm";
import { FieldSection } from "@/components/form/field";
import { QueryFailure } from "@/components/query-failure";
import { Button } from "@/components/ui/button";
import { Dialog, SheetContent } from "@/components/ui/dialog";
import { Skeleton } from "@/components/ui/skeleton";
import { useForm } from "@/lib/form";
import { useMessages } from "@/lib/i18n";

import { SECTIONS, SECTION_NAMES } from "./field-list";
import { formMessages } from "./messages";
import { SpecField } from "./spec-field";
import { BLANK, toPatch, toValues } from "./values";

const route = getRouteApi("/app/providers");
const FORM = "provider-form";

export function ProviderForm() {
  const { edit, create } = route.useSearch();
  const navigate = route.useNavigate();
  const t = useMessages(formMessages);
  const [asksToLeave, setAsksToLeave] = useState(false);
  const isDirty = useRef(false);
  const source = edit ?? (typeof create === "number" ? create : undefined);
  const query = useQuery({ ...providerQuery(source ?? 0), enabled: source !== undefined, staleTime: Infinity, gcTime: 0 });
  const isOpen = edit !== undefined || create !== undefined;
  const close = () => {
    isDirty.current = false;
    setAsksToLeave(false);
    void navigate({ search: ({ edit: _edit, create: _create, ...rest }) => rest });
  };
  const leave = () => (isDirty.current ? setAsksToLeave(true) : close());
  const version = query.data;
  const name = version?.value.name ?? "";
  const title = edit !== undefined ? t.edit(name) : source !== undefined ? t.cloneOf(name) : t.create;
  return (
    <Dialog open={isOpen} onOpenChange={(open) => !open && leave()}>
      {isOpen && (
        <SheetContent title={title} className="max-w-3xl">
          {source !== undefined && query.isError ? (
            <QueryFailure query={query} />
          ) : source !== undefined && !version ? (
            <FormSkeleton />
          ) : (
            <FormBody
              key={`${source ?? "new"} ${version?.etag ?? ""}`}
              source={version?.value}
              etag={edit === undefined ? undefined : version?.etag}
              onDirty={(dirty) => (isDirty.current = dirty)}
              onDone={close}
              onLeave={leave}
              onReload={() => void query.refetch()}
            />
          )}
        </SheetContent>
      )}
      {asksToLeave && <Confirm title={t.discardTitle} text={t.discardText} action={t.discard} onConfirm={close} onClose={() => setAsksToLeave(false)} />}
    </Dialog>
  );
}

interface BodyProps {
  /** What the form begins with. */
  source: Provider | undefined;
  /** The version that is edited; none when one is made. */
  etag: string | undefined;
  onDirty: (isDirty: boolean) => void;
  onDone: () => void;
  onLeave: () => void;
  onReload: () => void;
}

function FormBody({ source, etag, onDirty, onDone, onLeave, onReload }: BodyProps) {
  const t = useMessages(formMessages);
  const create = useCreateProvider();
  const update = useUpdateProvider();
  const isEdit = etag !== undefined && source !== undefined;
  const { error, isPending } = isEdit ? update : create;
  const [initial] = useState(() => {
    if (!source) return BLANK;
    return isEdit ? toValues(source) : { ...toValues(source), name: t.copyName(source.name) };
  });
  const form = useForm(initial, error, isEdit ? initial : BLANK);
  onDirty(form.values !== initial && form.changed.length > 0);
  const save = () => {
    const body = toPatch(form.values, form.changed);
    const done = (words: string) => () => {
      toast.done(words);
      onDone();
    };
    const name = form.values.name.trim();
    if (isEdit) update.mutate({ id: source.id, patch: body, etag }, { onSuccess: done(t.saved(name)) });
    else {
      const { url, type, apiKey } = form.values;
      const whole: ProviderCreate = { ...(body as Partial<ProviderCreate>), name, url: url.trim(), type, apiKey: apiKey.trim() };
      create.mutate(whole, { onSuccess: done(t.created(name)) });
    }
  };
  const isStale = error instanceof ProblemError && error.status === 412;
  return (
    <form
      id={FORM}
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
      className="md:grid md:grid-cols-[9rem_minmax(0,1fr)] md:gap-8"
    >
      <SectionRail />
      <div className="min-w-0 pb-4">
        {error && (
          <div role="alert" className="mb-4 flex items-center gap-3 rounded-md bg-bad-soft px-3 py-2 text-[0.8125rem] text-bad">
            <p className="flex-1">{describe(error)}</p>
            {isStale && <Button size="small" onClick={onReload}>{t.reload}</Button>}
          </div>
        )}
        {SECTION_NAMES.map((section) => {
          const [title, help] = t.sections[section];
          return (
            <div key={section} id={`${FORM}-${section}`} className="scroll-mt-2 border-t first-of-type:border-t-0 not-first-of-type:pt-5">
              <FieldSection title={title} help={help}>
                {SECTIONS[section].map((spec) => (
                  <SpecField key={spec.name} spec={spec} form={form} provider={isEdit ? source : undefined} />
                ))}
              </FieldSection>
            </div>
          );
        })}
        <div className="sticky -bottom-4 -mx-4 -mb-8 flex items-center gap-2 border-t bg-raised px-4 py-3 md:-mx-5 md:px-5">
          <p className="flex-1 text-xs text-muted-foreground tabular-nums" aria-live="polite">
            {isEdit && (form.changed.length === 0 ? t.unchanged : t.changes(form.changed.length))}
          </p>
          <Button onClick={onLeave}>{t.cancel}</Button>
          <Button type="submit" look="primary" disabled={isPending || (isEdit && form.changed.length === 0)}>
            {isPending ? t.saving : isEdit ? t.save : t.add}
          </Button>
        </div>
      </div>
    </form>
  );
}

function SectionRail() {
  const t = useMessages(formMessages);
  return (
    <nav aria-label={t.create} className="sticky top-0 hidden self-start md:block">
      <ul className="space-y-0.5">
        {SECTION_NAMES.map((section) => (
          <li key={section}>
            <button
              type="button"
              onClick={() => document.getElementById(`${FORM}-${section}`)?.scrollIntoView({ behavior: "smooth", block: "start" })}
              className="w-full rounded-md px-2 py-1 text-left text-[0.8125rem] text-muted-foreground hover:bg-hover hover:text-foreground"
            >
              {t.sections[section][0]}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function FormSkeleton() {
  return (
    <div aria-busy className="grid gap-4 sm:grid-cols-2">
      {Array.from({ length: 10 }, (_, index) => (
        <div key={index} className="space-y-2">
          <Skeleton className="h-3.5 w-24" />
          <Skeleton className="h-8" />
        </div>
      ))}
    </div>
  );
}
