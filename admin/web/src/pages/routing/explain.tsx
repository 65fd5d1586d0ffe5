// A request that might come, and what would happen to it.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { RouteIcon } from "lucide-react";
import { type FormEvent, useId, useMemo, useState } from "react";

import { keysQuery } from "@/api/keys";
import { mistakesOf } from "@/api/problem";
import { type ExplainRequest, PROTOCOLS, type Protocol, explainQuery } from "@/api/routing";
import { lastDay, usageByQuery } from "@/api/usage";
import { usersQuery } from "@/api/users";
import { Empty } from "@/components/empty";
import { Field } from "@/components/form/field";
import { QueryFailure } from "@/components/query-failure";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Input, Select } from "@/components/ui/input";
import { Skeleton } from "@/components/ui/skeleton";
import { Switch } from "@/components/ui/switch";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";
import { Outcome } from "./outcome";
import type { RoutingSearch } from "./route";

const route = getRouteApi("/app/routing");

export function Explain() {
  const t = useMessages(messages);
  const search = route.useSearch();
  const ask = toAsk(search);
  const query = useQuery({ ...explainQuery(ask ?? { protocol: "anthropic", model: "", keyId: 0 }), enabled: ask !== undefined, placeholderData: keepPreviousData });
  return (
    <div className="grid items-start gap-4 px-4 pb-10 md:px-6 xl:grid-cols-[20rem_minmax(0,1fr)]">
      <Ask key={JSON.stringify(ask)} search={search} mistakes={mistakesOf(query.error)} isPending={query.isFetching} />
      {!ask ? (
        <Card>
          <Empty icon={RouteIcon} title={t.startTitle} text={t.startText} />
        </Card>
      ) : query.isError ? (
        <Card>
          <QueryFailure query={query} />
        </Card>
      ) : query.data ? (
        <Outcome explanation={query.data} />
      ) : (
        <Card aria-busy className="space-y-4 p-4">
          <Skeleton className="h-8" />
          {[1, 2, 3, 4].map((row) => <Skeleton key={row} className="h-10" />)}
        </Card>
      )}
    </div>
  );
}

/** A question that is whole; one without model or key is none yet. */
function toAsk({ protocol, model, key, session, agent, stream }: RoutingSearch): ExplainRequest | undefined {
  if (!model || key === undefined) return undefined;
  return {
    protocol: protocol ?? "anthropic",
    model,
    keyId: key,
    isStream: stream ?? false,
    ...(session && { sessionId: session }),
    ...(agent && { userAgent: agent }),
  };
}

interface AskProps {
  search: RoutingSearch;
  mistakes: ReadonlyMap<string, string>;
  isPending: boolean;
}

function Ask({ search, mistakes, isPending }: AskProps) {
  const t = useMessages(messages);
  const navigate = route.useNavigate();
  const models = useModels();
  const list = useId();
  const [draft, setDraft] = useState(search);
  const set = (part: RoutingSearch) => setDraft((before) => ({ ...before, ...part }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void navigate({ search: draft });
  };
  return (
    <Card className="p-4">
      <form onSubmit={submit} aria-label={t.request} className="space-y-4">
        <Field label={t.protocol}>
          {(wiring) => (
            <Select {...wiring} value={draft.protocol ?? "anthropic"} onChange={(event) => set({ protocol: event.target.value as Protocol })}>
              {PROTOCOLS.map((value) => <option key={value} value={value}>{t.protocols[value]}</option>)}
            </Select>
          )}
        </Field>
        <Field label={t.model} error={mistakes.get("model")}>
          {(wiring) => (
            <>
              <Input {...wiring} required list={list} className="font-mono" placeholder="claude-sonnet-4-5" spellCheck={false} value={draft.model ?? ""} onChange={(event) => set({ model: event.target.value })} />
              <datalist id={list}>{models.map((model) => <option key={model} value={model} />)}</datalist>
            </>
          )}
        </Field>
        <Field label={t.key} error={mistakes.get("keyId")}>
          {(wiring) => (
            <Select {...wiring} required value={draft.key ?? ""} onChange={(event) => set({ key: event.target.value ? Number(event.target.value) : undefined })}>
              <option value="">{t.chooseKey}</option>
              <KeyOptions />
            </Select>
          )}
        </Field>
        <Field label={`${t.session} · ${t.optional}`} help={t.sessionHelp} error={mistakes.get("sessionId")}>
          {(wiring) => <Input {...wiring} className="font-mono" spellCheck={false} value={draft.session ?? ""} onChange={(event) => set({ session: event.target.value || undefined })} />}
        </Field>
        <Field label={`${t.agent} · ${t.optional}`} help={t.agentHelp} error={mistakes.get("userAgent")}>
          {(wiring) => <Input {...wiring} className="font-mono" placeholder="claude-cli/2.1.197" spellCheck={false} value={draft.agent ?? ""} onChange={(event) => set({ agent: event.target.value || undefined })} />}
        </Field>
        <div className="flex items-center gap-2">
          <label className="flex flex-1 items-center gap-2.5 text-[0.8125rem]">
            <Switch checked={draft.stream ?? false} onCheckedChange={(stream) => set({ stream: stream || undefined })} aria-label={t.stream} />
            {t.stream}
          </label>
          <Button type="submit" look="primary" disabled={isPending}>{t.ask}</Button>
        </div>
      </form>
    </Card>
  );
}

function KeyOptions() {
  const users = useQuery(usersQuery).data ?? [];
  const keys = useQuery(keysQuery).data ?? [];
  return users.map((user) => {
    const own = keys.filter((key) => key.userId === user.id);
    if (own.length === 0) return null;
    return (
      <optgroup key={user.id} label={user.name}>
        {own.map((key) => (
          <option key={key.id} value={key.id}>
            {user.name} · {key.name}
          </option>
        ))}
      </optgroup>
    );
  });
}

/** Models that were asked for lately. */
function useModels(): readonly string[] {
  const [span] = useState(lastDay);
  const { data } = useQuery(usageByQuery("model", span));
  return useMemo(() => (data ?? []).flatMap(({ name }) => (name ? [name] : [])), [data]);
}
