// Users chosen for a change of many, and what can be done with them.
import { CalendarPlusIcon, PencilIcon, XIcon } from "lucide-react";

import { type User, useUpdateUsers } from "@/api/users";
import { toast } from "@/app/toasts";
import { SPANS, later } from "@/components/form/expiry-field";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/menu";
import { Checkbox } from "@/components/ui/switch";
import { useMessages } from "@/lib/i18n";
import { createStore, useStore } from "@/lib/store";

import { messages } from "./messages";

/** By id; kept while the page is open, so that a search does not lose it. */
export const selection = createStore<ReadonlySet<number>>(new Set());

function toggle(id: number): void {
  const next = new Set(selection.get());
  if (!next.delete(id)) next.add(id);
  selection.set(next);
}

export function clearSelection(): void {
  selection.set(new Set());
}

export function SelectBox({ user }: { user: User }) {
  const t = useMessages(messages).batch;
  const isChosen = useStore(selection).has(user.id);
  return <Checkbox aria-label={t.select(user.name)} checked={isChosen} onCheckedChange={() => toggle(user.id)} />;
}

/** Chooses every user in the table, or none. */
export function SelectAll({ ids }: { ids: readonly number[] }) {
  const t = useMessages(messages).batch;
  const chosen = useStore(selection);
  const count = ids.filter((id) => chosen.has(id)).length;
  return (
    <Checkbox
      aria-label={t.selectAll}
      checked={count > 0 && count === ids.length}
      onCheckedChange={(all) => selection.set(all === true ? new Set(ids) : new Set())}
    />
  );
}

export function BatchBar({ onEdit }: { onEdit: () => void }) {
  const t = useMessages(messages);
  const chosen = useStore(selection);
  const update = useUpdateUsers();
  const ids = [...chosen];
  const enable = (isEnabled: boolean) =>
    update.mutate({ ids, changes: { isEnabled } }, {
      onSuccess: ({ items }) => toast.done(isEnabled ? t.batch.on(items.length) : t.batch.off(items.length), () => update.mutate({ ids, changes: { isEnabled: !isEnabled } }, { onError: toast.failed })),
      onError: toast.failed,
    });
  const renewBy = (days: number) => update.mutate({ ids, changes: { expiresAt: later(days) } }, { onSuccess: ({ items }) => toast.done(t.batch.renewed(items.length)), onError: toast.failed });
  return (
    <div role="toolbar" aria-label={t.batch.bar} className="mx-4 mb-3 flex flex-wrap items-center gap-2 rounded-lg border bg-accent-soft px-3 py-1.5 md:mx-6">
      <p aria-live="polite" className="mr-auto text-[0.8125rem] font-medium tabular-nums">{t.batch.chosen(ids.length)}</p>
      <Button size="small" disabled={update.isPending} onClick={() => enable(true)}>{t.batch.enable}</Button>
      <Button size="small" disabled={update.isPending} onClick={() => enable(false)}>{t.batch.disable}</Button>
      <Menu>
        <MenuTrigger asChild>
          <Button size="small"><CalendarPlusIcon /> {t.renew}</Button>
        </MenuTrigger>
        <MenuContent align="end">
          {SPANS.map((days) => <MenuItem key={days} onSelect={() => renewBy(days)}>{t.batch.fromNow(days)}</MenuItem>)}
        </MenuContent>
      </Menu>
      <Button size="small" onClick={onEdit}><PencilIcon /> {t.batch.edit}</Button>
      <Button size="icon-small" look="ghost" aria-label={t.batch.clear} onClick={clearSelection}><XIcon /></Button>
    </div>
  );
}
