// Error rules: whose fault a failure is, in the order in which they are tried, and a box to try them.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { FilterIcon, PlusIcon } from "lucide-react";
import { useMemo } from "react";

import { type ErrorRule, errorRulesQuery } from "@/api/error-rules";
import { useShortcuts } from "@/app/shortcuts";
import { Empty } from "@/components/empty";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { SearchInput } from "@/components/search-input";
import { TableSkeleton } from "@/components/table-skeleton";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { useMessages } from "@/lib/i18n";

import { RuleForm } from "./form";
import { messages } from "./messages";
import type { RulesSearch } from "./route";
import { RuleRow } from "./row";
import { TryBox } from "./try-box";

const route = getRouteApi("/app/rules");

export function RulesPage() {
  const t = useMessages(messages);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(errorRulesQuery);
  const rules = useMemo(() => choose(query.data ?? [], search), [query.data, search]);
  const change = (part: Partial<RulesSearch>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  const add = () => void navigate({ search: (before) => ({ ...before, create: true }) });
  useShortcuts([{ keys: "n", text: t.add, run: add }]);
  return (
    <>
      <PageHeader title={t.title} text={t.text}>
        <SearchInput label={t.search} value={search.q ?? ""} onChange={(q) => change({ q: q || undefined })} className="md:w-64" />
        <Button look="primary" onClick={add}>
          <PlusIcon /> {t.add}
        </Button>
      </PageHeader>
      <div className="grid items-start gap-4 px-4 pb-10 md:px-6 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <Card className="@container overflow-hidden">
          {query.isError ? (
            <QueryFailure query={query} />
          ) : query.isPending ? (
            <TableSkeleton rowHeight={56} rows={6} />
          ) : rules.length === 0 ? (
            <NoRules isFiltered={query.data.length > 0} onAdd={add} onClear={() => change({ q: undefined, provider: undefined })} />
          ) : (
            <ol aria-label={t.table} className="divide-y">
              {rules.map((rule) => <RuleRow key={rule.id} rule={rule} />)}
            </ol>
          )}
        </Card>
        <TryBox />
      </div>
      <RuleForm />
    </>
  );
}

/** Those that fit, in the order in which they are tried. */
function choose(rules: readonly ErrorRule[], { q, provider }: RulesSearch): ErrorRule[] {
  const wanted = q?.toLowerCase();
  return rules
    .filter((rule) => {
      if (provider !== undefined && rule.providerId !== provider) return false;
      return !wanted || [rule.name, rule.pattern, rule.overrideMessage ?? ""].some((text) => text.toLowerCase().includes(wanted));
    })
    .sort((a, b) => a.priority - b.priority || a.id - b.id);
}

function NoRules({ isFiltered, onAdd, onClear }: { isFiltered: boolean; onAdd: () => void; onClear: () => void }) {
  const t = useMessages(messages);
  if (isFiltered) {
    return (
      <Empty icon={FilterIcon} title={t.noneTitle} text={t.noneText}>
        <Button onClick={onClear}>{t.clear}</Button>
      </Empty>
    );
  }
  return (
    <Empty icon={FilterIcon} title={t.emptyTitle} text={t.emptyText}>
      <Button look="primary" onClick={onAdd}>
        <PlusIcon /> {t.add}
      </Button>
    </Empty>
  );
}
