// Users and keys: who may call, how much of the limits is used, until when.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { PlusIcon, UsersIcon } from "lucide-react";
import { useEffect, useMemo, useState } from "react";

import { keysQuery } from "@/api/keys";
import { lastDay, usageByQuery } from "@/api/usage";
import { usersQuery } from "@/api/users";
import { useShortcuts } from "@/app/shortcuts";
import { DataTable } from "@/components/data-table";
import { Empty } from "@/components/empty";
import { FullPage } from "@/components/full-page";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { SearchInput } from "@/components/search-input";
import { TableSkeleton } from "@/components/table-skeleton";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/input";
import { Segmented } from "@/components/ui/tabs";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { useStore } from "@/lib/store";

import { CARD_HEIGHT, UserCard, useColumns } from "./columns";
import { UserDetails } from "./details";
import { BatchForm } from "./form/batch-form";
import { KeyForm } from "./form/key-form";
import { UserForm } from "./form/user-form";
import { messages } from "./messages";
import { SHOWN, type UsersSearch } from "./route";
import { type UserRow, choose, order, toRows } from "./rows";
import { SecretDialog, useIsKeyShown } from "./secret";
import { BatchBar, clearSelection, selection } from "./selection";

const route = getRouteApi("/app/users");
const ROW_HEIGHT = 52;

export function UsersPage() {
  const t = useMessages(messages);
  const format = useFormat();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [span] = useState(lastDay);
  const users = useQuery(usersQuery);
  const keys = useQuery(keysQuery);
  const usage = useQuery(usageByQuery("user", span));
  const all = useMemo(() => toRows(users.data ?? [], keys.data ?? [], usage.data ?? []), [users.data, keys.data, usage.data]);
  const rows = useMemo(() => order(choose(all, search), search), [all, search]);
  const ids = useMemo(() => rows.map(({ user }) => user.id), [rows]);
  const columns = useColumns(ids);
  const chosen = useStore(selection).size;
  useEffect(() => clearSelection, []);
  const change = (part: Partial<UsersSearch>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  const openForm = () => void navigate({ search: (before) => ({ ...before, create: true }) });
  useShortcuts([{ keys: "n", text: t.add, run: openForm }]);
  return (
    <FullPage>
      <PageHeader title={t.title} text={users.data && t.summary(format.count(all.length), format.count(keys.data?.length ?? 0))}>
        <Button look="primary" onClick={openForm}>
          <PlusIcon /> {t.add}
        </Button>
      </PageHeader>
      <Filters search={search} tags={tagsOf(all)} onChange={change} />
      {chosen > 0 && <BatchBar onEdit={() => void navigate({ search: (before) => ({ ...before, batch: true }) })} />}
      {users.isError ? (
        <QueryFailure query={users} />
      ) : (
        <DataTable<UserRow>
          label={t.table}
          rows={rows}
          columns={columns}
          rowId={({ user }) => String(user.id)}
          rowHeight={ROW_HEIGHT}
          card={{ height: CARD_HEIGHT, render: (row) => <UserCard row={row} /> }}
          {...(search.sort && { sort: { column: search.sort, isDescending: search.desc ?? false } })}
          onSort={(column) => change(nextSort(search, column))}
          onOpen={({ user }) => void navigate({ search: (before) => ({ ...before, user: user.id }) })}
          openId={search.user === undefined ? undefined : String(search.user)}
          className="border-t"
          empty={users.isPending ? <TableSkeleton rowHeight={ROW_HEIGHT} /> : <NoUsers isFiltered={all.length > 0} onAdd={openForm} onClear={() => change({ q: undefined, show: undefined, tag: undefined })} />}
        />
      )}
      <Sheets all={all} />
      <SecretDialog />
    </FullPage>
  );
}

/** What lies beside the table; the address says which one, and one at a time. */
function Sheets({ all }: { all: readonly UserRow[] }) {
  const { user, edit, create, key, newKey, batch } = route.useSearch();
  const navigate = route.useNavigate();
  const isKeyShown = useIsKeyShown();
  const isForm = isKeyShown || edit !== undefined || create === true || key !== undefined || newKey !== undefined;
  const row = isForm ? undefined : all.find((each) => each.user.id === user);
  const open = (part: Partial<UsersSearch>) => void navigate({ search: (before) => ({ ...before, ...part }) });
  return (
    <>
      <UserDetails
        user={row?.user}
        keys={row?.keys ?? []}
        onClose={() => open({ user: undefined })}
        onEdit={() => open({ edit: user })}
        onEditKey={({ id }) => open({ key: id })}
        onNewKey={() => open({ newKey: user })}
      />
      <UserForm id={edit} isOpen={edit !== undefined || create === true} onClose={() => open({ edit: undefined, create: undefined })} />
      <BatchForm isOpen={batch === true} onClose={() => open({ batch: undefined })} />
      <KeyForm id={key} userId={newKey} onClose={() => open({ key: undefined, newKey: undefined })} />
    </>
  );
}

function tagsOf(rows: readonly UserRow[]): string[] {
  return [...new Set(rows.flatMap(({ user }) => user.tags))].sort();
}

interface FiltersProps {
  search: UsersSearch;
  tags: readonly string[];
  onChange: (part: Partial<UsersSearch>) => void;
}

function Filters({ search, tags, onChange }: FiltersProps) {
  const t = useMessages(messages);
  return (
    <div className="flex flex-wrap items-center gap-2 px-4 pb-3 md:px-6">
      <SearchInput label={t.search} value={search.q ?? ""} onChange={(q) => onChange({ q: q || undefined })} />
      <Segmented
        label={t.show}
        value={search.show ?? "all"}
        onChange={(show) => onChange({ show: show === "all" ? undefined : show })}
        options={(["all", ...SHOWN] as const).map((value) => ({ value, label: t[value] }))}
      />
      {(tags.length > 0 || search.tag) && (
        <Select aria-label={t.tag} className="w-36" value={search.tag ?? ""} onChange={(event) => onChange({ tag: event.target.value || undefined })}>
          <option value="">{t.anyTag}</option>
          {tags.map((tag) => <option key={tag} value={tag}>#{tag}</option>)}
        </Select>
      )}
    </div>
  );
}

/** Up, down, and back to the order by name. */
function nextSort(search: UsersSearch, column: string): Partial<UsersSearch> {
  if (search.sort !== column) return { sort: column, desc: undefined };
  return search.desc ? { sort: undefined, desc: undefined } : { desc: true };
}

function NoUsers({ isFiltered, onAdd, onClear }: { isFiltered: boolean; onAdd: () => void; onClear: () => void }) {
  const t = useMessages(messages);
  if (isFiltered) {
    return (
      <Empty icon={UsersIcon} title={t.noneTitle} text={t.noneText}>
        <Button onClick={onClear}>{t.clear}</Button>
      </Empty>
    );
  }
  return (
    <Empty icon={UsersIcon} title={t.emptyTitle} text={t.emptyText}>
      <Button look="primary" onClick={onAdd}>
        <PlusIcon /> {t.add}
      </Button>
    </Empty>
  );
}
