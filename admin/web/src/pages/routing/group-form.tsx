// What is said of a provider group.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { type ProviderGroup, groupQuery, useCreateGroup, useUpdateGroup } from "@/api/groups";
import { toast } from "@/app/toasts";
import { AreaField, TextField } from "@/components/form/fields";
import { FormFrame, FormSheet, FormSkeleton } from "@/components/form/form-sheet";
import { QueryFailure } from "@/components/query-failure";
import { useForm } from "@/lib/form";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

interface Props {
  id: number | undefined;
  /** What a new one is called at first. */
  name: string;
  isOpen: boolean;
  onClose: () => void;
}

export function GroupForm({ id, name, isOpen, onClose }: Props) {
  const t = useMessages(messages).group;
  const query = useQuery({ ...groupQuery(id ?? 0), enabled: isOpen && id !== undefined, staleTime: Infinity, gcTime: 0 });
  const version = query.data;
  return (
    <FormSheet title={id === undefined ? t.create : t.edit(version?.value.name ?? "")} isOpen={isOpen} onClose={onClose} className="max-w-lg">
      {id !== undefined && query.isError ? (
        <QueryFailure query={query} />
      ) : id !== undefined && !version ? (
        <FormSkeleton fields={4} />
      ) : (
        <Body key={version?.etag ?? "new"} group={version?.value} name={name} etag={version?.etag ?? ""} onDone={onClose} onReload={() => void query.refetch()} />
      )}
    </FormSheet>
  );
}

interface BodyProps {
  group: ProviderGroup | undefined;
  name: string;
  etag: string;
  onDone: () => void;
  onReload: () => void;
}

function Body({ group, name: suggested, etag, onDone, onReload }: BodyProps) {
  const t = useMessages(messages).group;
  const create = useCreateGroup();
  const update = useUpdateGroup();
  const { error, isPending } = group ? update : create;
  const [initial] = useState(() => ({ name: group?.name ?? suggested, costMultiplier: group?.costMultiplier ?? "", note: group?.note ?? "" }));
  const form = useForm(initial, error);
  const save = () => {
    const { name, costMultiplier, note } = form.values;
    const whole = { name: name.trim(), costMultiplier: costMultiplier.trim() || null, note };
    const done = (words: string) => () => {
      toast.done(words);
      onDone();
    };
    if (!group) {
      create.mutate(whole, { onSuccess: done(t.created(whole.name)) });
      return;
    }
    const patch = Object.fromEntries(form.changed.map((key) => [key, whole[key]]));
    update.mutate({ id: group.id, patch, etag }, { onSuccess: done(t.saved(whole.name)) });
  };
  return (
    <FormFrame changes={form.changed.length} isEdit={group !== undefined} isPending={isPending} error={error} onSubmit={save} onReload={onReload} create={t.add}>
      <div className="space-y-4 pb-4">
        <TextField form={form} name="name" label={t.name} help={group ? t.rename : t.nameHelp} autoComplete="off" autoFocus={!group} />
        <TextField form={form} name="costMultiplier" label={t.multiplier} help={t.multiplierHelp} inputMode="decimal" placeholder="1" unit="×" />
        <AreaField form={form} name="note" label={t.note} help={t.noteHelp} rows={3} />
      </div>
    </FormFrame>
  );
}
