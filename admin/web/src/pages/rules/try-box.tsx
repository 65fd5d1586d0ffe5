// A box to try the rules: a failure's text in, the verdict out.
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { type ErrorRuleVerdict, useTestErrorRules } from "@/api/error-rules";
import { mistakesOf } from "@/api/problem";
import { providersQuery } from "@/api/providers";
import { FormFailure } from "@/components/form/form-sheet";
import { Field } from "@/components/form/field";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Select, Textarea } from "@/components/ui/input";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";
import { FaultBadge } from "./row";

export function TryBox() {
  const t = useMessages(messages);
  const providers = useQuery(providersQuery).data ?? [];
  const test = useTestErrorRules();
  const [sample, setSample] = useState("");
  const [provider, setProvider] = useState("");
  const mistakes = mistakesOf(test.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    test.mutate({ sample, providerId: provider ? Number(provider) : null });
  };
  return (
    <Card>
      <CardHeader title={t.try.title} />
      <div className="space-y-4 p-4">
        <p className="text-xs text-pretty text-muted-foreground">{t.try.text}</p>
        <form onSubmit={submit} className="space-y-4">
          <Field label={t.try.sample} error={mistakes.get("sample")}>
            {(wiring) => (
              <Textarea {...wiring} rows={5} required spellCheck={false} placeholder={t.try.placeholder} value={sample} onChange={(event) => setSample(event.target.value)} className="font-mono text-xs" />
            )}
          </Field>
          <Field label={t.try.provider} error={mistakes.get("providerId")}>
            {(wiring) => (
              <Select {...wiring} value={provider} onChange={(event) => setProvider(event.target.value)}>
                <option value="">{t.everyProvider}</option>
                {providers.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
              </Select>
            )}
          </Field>
          <Button type="submit" look="primary" className="w-full" disabled={test.isPending || sample.trim() === ""}>
            {test.isPending ? t.try.running : t.try.run}
          </Button>
        </form>
        {test.isError && mistakes.size === 0 && <FormFailure error={test.error} className="mb-0" />}
        <div aria-live="polite">{test.data && <Verdict verdict={test.data} />}</div>
      </div>
    </Card>
  );
}

function Verdict({ verdict }: { verdict: ErrorRuleVerdict }) {
  const t = useMessages(messages);
  const { fault, matches, overrideStatus, overrideMessage } = verdict;
  if (!fault) return <p className="rounded-lg border border-dashed px-3 py-4 text-center text-[0.8125rem] text-muted-foreground">{t.try.none}</p>;
  return (
    <div data-testid="verdict" className="space-y-3 rounded-lg border p-3">
      <div>
        <p className="mb-1 flex items-center gap-2 text-[0.8125rem] font-medium">
          {t.columns.fault} <FaultBadge fault={fault} />
        </p>
        <p className="text-xs text-pretty text-muted-foreground">{t.faults[fault][1]}</p>
      </div>
      {(overrideStatus ?? overrideMessage) && (
        <div>
          <p className="text-2xs font-medium text-muted-foreground">{t.try.told}</p>
          <p className="mt-0.5 flex flex-wrap items-center gap-1.5 text-[0.8125rem]">
            {overrideStatus && <Badge tone="outline">{t.try.status(overrideStatus)}</Badge>}
            <span className="break-words">{overrideMessage}</span>
          </p>
        </div>
      )}
      <div>
        <p className="text-2xs font-medium text-muted-foreground">{t.try.matching}</p>
        <ol className="mt-1 space-y-1">
          {matches.map((rule, index) => (
            <li key={rule.id} className="flex items-center gap-2 text-[0.8125rem]">
              <span className="w-4 text-right text-xs text-muted-foreground tabular-nums">{index + 1}</span>
              <span className="min-w-0 flex-1 truncate">{rule.name}</span>
              {index === 0 && <Badge tone="ok">{t.try.first}</Badge>}
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}
