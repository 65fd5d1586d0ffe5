// Provider groups: every name in use, who carries it, and what is said of it.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { BoxesIcon, PlusIcon } from "lucide-react";

import { type ProviderGroup, groupsQuery, useDeleteGroup, useGroupNames } from "@/api/groups";
import { keysQuery } from "@/api/keys";
import { type Provider, providersQuery } from "@/api/providers";
import { usersQuery } from "@/api/users";
import { Empty } from "@/components/empty";
import { ProviderMark } from "@/components/provider-mark";
import { QueryFailure } from "@/components/query-failure";
import { RowActions } from "@/components/row-actions";
import { TableSkeleton } from "@/components/table-skeleton";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { useMessages } from "@/lib/i18n";

import { splitGroups } from "../users/form/values";
import { GroupForm } from "./group-form";
import { messages } from "./messages";

const route = getRouteApi("/app/routing");

interface GroupRow {
  name: string;
  said: ProviderGroup | undefined;
  providers: readonly Provider[];
  users: number;
  keys: number;
}

function useRows(): GroupRow[] {
  const said = useQuery(groupsQuery).data ?? [];
  const providers = useQuery(providersQuery).data ?? [];
  const users = useQuery(usersQuery).data ?? [];
  const keys = useQuery(keysQuery).data ?? [];
  const carries = (groups: readonly string[], name: string) => groups.includes(name) || (groups.length === 0 && name === "default");
  return useGroupNames().map((name) => ({
    name,
    said: said.find((group) => group.name === name),
    providers: providers.filter((provider) => carries(provider.groupTags, name)),
    users: users.filter((user) => carries(splitGroups(user.providerGroup), name)).length,
    keys: keys.filter((key) => splitGroups(key.providerGroup).includes(name)).length,
  }));
}

export function Groups() {
  const t = useMessages(messages).group;
  const { group, create } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(groupsQuery);
  const rows = useRows();
  const close = () => void navigate({ search: ({ group: _group, create: _create, ...rest }) => rest });
  const add = () => void navigate({ search: (before) => ({ ...before, create: true }) });
  return (
    <div className="px-4 pb-10 md:px-6">
      {query.isError ? (
        <QueryFailure query={query} />
      ) : query.isPending ? (
        <TableSkeleton rowHeight={64} rows={4} />
      ) : rows.length === 0 ? (
        <Empty icon={BoxesIcon} title={t.emptyTitle} text={t.emptyText}>
          <Button look="primary" onClick={add}>
            <PlusIcon /> {t.add}
          </Button>
        </Empty>
      ) : (
        <ul aria-label={t.table} className="grid gap-3 md:grid-cols-2 2xl:grid-cols-3">
          {rows.map((row) => (
            <GroupCard key={row.name} row={row} />
          ))}
        </ul>
      )}
      <GroupForm id={group} name={typeof create === "string" ? create : ""} isOpen={group !== undefined || create !== undefined} onClose={close} />
    </div>
  );
}

function GroupCard({ row }: { row: GroupRow }) {
  const t = useMessages(messages).group;
  const navigate = route.useNavigate();
  const { name, said, providers, users, keys } = row;
  return (
    <li>
      <Card className="flex h-full flex-col p-4">
        <header className="flex items-start gap-3">
          <div className="min-w-0 flex-1">
            <h2 className="truncate text-[0.9375rem] font-semibold">{name}</h2>
            <p className="line-clamp-2 text-xs text-muted-foreground">{said ? said.note || "–" : t.unsaid}</p>
          </div>
          <span title={t.multiplier} className="text-lg leading-7 font-semibold tracking-tight tabular-nums">
            <span className="sr-only">{t.multiplier} </span>×{said ? Number(said.costMultiplier) : 1}
          </span>
          {said ? (
            <GroupActions group={said} />
          ) : (
            <Button size="small" onClick={() => void navigate({ search: (before) => ({ ...before, create: name }) })}>
              {t.say}
            </Button>
          )}
        </header>
        <div className="mt-3 flex min-h-7 flex-wrap gap-1">
          {providers.map((provider) => (
            <span key={provider.id} className="inline-flex h-7 max-w-full items-center gap-1.5 rounded-md border pr-2 pl-0.5 text-xs">
              <ProviderMark type={provider.type} className="size-6 rounded text-2xs" />
              <span className="truncate">{provider.name}</span>
            </span>
          ))}
        </div>
        <dl className="mt-auto flex gap-5 pt-3 text-xs text-muted-foreground">
          {([[t.providers, providers.length], [t.users, users], [t.keys, keys]] as const).map(([label, count]) => (
            <div key={label} className="flex gap-1.5">
              <dt>{label}</dt>
              <dd className="font-medium text-foreground tabular-nums">{count}</dd>
            </div>
          ))}
        </dl>
      </Card>
    </li>
  );
}

function GroupActions({ group }: { group: ProviderGroup }) {
  const t = useMessages(messages).group;
  const navigate = route.useNavigate();
  const { id } = group;
  return <RowActions entry={group} words={{ ...t, edit: t.editIt }} remove={useDeleteGroup()} onEdit={() => void navigate({ search: (before) => ({ ...before, group: id }) })} />;
}
