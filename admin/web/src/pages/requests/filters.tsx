// The filters of the request log. All of them are in the address.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { XIcon } from "lucide-react";
import { useCallback } from "react";

import { useNames } from "@/api/names";
import { providersQuery } from "@/api/providers";
import { useIsAdmin } from "@/api/session";
import { lastDay, usageByQuery } from "@/api/usage";
import { usersQuery } from "@/api/users";
import { SearchInput } from "@/components/search-input";
import { Button } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/input";
import { Segmented } from "@/components/ui/tabs";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";
import { FILTERS, type FilterName, type RequestsSearch, SPANS, isFiltered } from "./search";

const route = getRouteApi("/app/requests");
const STATUSES = [200, 400, 401, 403, 404, 413, 429, 499, 500, 502, 503, 504];
const SPAN_OPTIONS = ["all", ...SPANS] as const;

export function useFilter(): (part: Partial<RequestsSearch>) => void {
  const navigate = route.useNavigate();
  return useCallback((part) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true }), [navigate]);
}

export function Filters() {
  const t = useMessages(messages);
  const search = route.useSearch();
  const set = useFilter();
  const setEndpoint = useCallback((endpoint: string) => set({ endpoint: endpoint || undefined }), [set]);
  return (
    <div className="space-y-2 px-4 pb-3 md:px-6">
      <div className="flex flex-wrap items-center gap-2">
        <SearchInput label={t.endpointSearch} value={search.endpoint ?? ""} onChange={setEndpoint} className="max-w-48" />
        <Choices search={search} set={set} />
        <Segmented
          label={t.span}
          value={search.span ?? "all"}
          onChange={(span) => set({ span: span === "all" ? undefined : span, from: undefined, to: undefined })}
          options={SPAN_OPTIONS.map((value) => ({ value, label: t.spans[value] }))}
        />
      </div>
      <Chips search={search} set={set} />
    </div>
  );
}

interface Props {
  search: RequestsSearch;
  set: (part: Partial<RequestsSearch>) => void;
}

function Choices({ search, set }: Props) {
  const t = useMessages(messages);
  const isAdmin = useIsAdmin();
  const users = useQuery({ ...usersQuery, enabled: isAdmin }).data ?? [];
  const providers = useQuery({ ...providersQuery, enabled: isAdmin }).data ?? [];
  const models = useQuery(usageByQuery("model", lastDay())).data ?? [];
  const number = (value: string) => (value === "" ? undefined : Number(value));
  return (
    <>
      {isAdmin && (
        <>
          <Select aria-label={t.filters.user} value={search.user ?? ""} onChange={(event) => set({ user: number(event.target.value), key: undefined })} className="w-32 max-md:w-[calc(50%-0.25rem)]">
            <option value="">{t.anyUser}</option>
            {users.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          </Select>
          <Select aria-label={t.filters.provider} value={search.provider ?? ""} onChange={(event) => set({ provider: number(event.target.value) })} className="w-36 max-md:w-[calc(50%-0.25rem)]">
            <option value="">{t.anyProvider}</option>
            {providers.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          </Select>
        </>
      )}
      <ModelInput key={search.model ?? ""} value={search.model ?? ""} onChange={(model) => set({ model: model || undefined })} models={models.flatMap(({ name }) => name ?? [])} />
      <Select aria-label={t.filters.status} value={search.status ?? ""} onChange={(event) => set({ status: number(event.target.value) })} className="w-28 max-md:w-[calc(50%-0.25rem)]">
        <option value="">{t.anyStatus}</option>
        {[...new Set([...STATUSES, ...(search.status ? [search.status] : [])])].map((status) => <option key={status} value={status}>{status}</option>)}
      </Select>
    </>
  );
}

/** The API wants the whole name; those of the last day are offered. */
function ModelInput({ value, onChange, models }: { value: string; onChange: (model: string) => void; models: readonly string[] }) {
  const t = useMessages(messages);
  return (
    <>
      <Input
        aria-label={t.filters.model}
        placeholder={t.anyModel}
        list="request-models"
        defaultValue={value}
        onChange={(event) => models.includes(event.target.value) && onChange(event.target.value)}
        onBlur={(event) => event.target.value !== value && onChange(event.target.value.trim())}
        onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
        className="w-36 max-md:w-[calc(50%-0.25rem)]"
      />
      <datalist id="request-models">
        {models.map((model) => <option key={model} value={model} />)}
      </datalist>
    </>
  );
}

/** The filters the bar has no field for, and the way out of all of them. */
function Chips({ search, set }: Props) {
  const t = useMessages(messages);
  const format = useFormat();
  const names = useNames();
  if (!isFiltered(search)) return null;
  const shown: Partial<Record<FilterName, string | undefined>> = {
    key: names.key(search.key),
    session: search.session,
    from: search.from && format.exact(search.from),
    to: search.to && format.exact(search.to),
  };
  const none = Object.fromEntries(FILTERS.map((name) => [name, undefined]));
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {FILTERS.map((name) => shown[name] && (
        <span key={name} className="inline-flex h-6 max-w-64 items-center gap-1 rounded-md border bg-surface pl-2 text-xs">
          <span className="text-muted-foreground">{t.filters[name]}</span>
          <span className="truncate">{shown[name]}</span>
          <button type="button" aria-label={t.remove(t.filters[name])} onClick={() => set({ [name]: undefined })} className="rounded p-1 text-muted-foreground hover:text-foreground">
            <XIcon aria-hidden className="size-3" />
          </button>
        </span>
      ))}
      <Button look="ghost" size="small" onClick={() => set(none)}>
        <XIcon /> {t.clear}
      </Button>
    </div>
  );
}
