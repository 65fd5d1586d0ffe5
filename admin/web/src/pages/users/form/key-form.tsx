// The form of a client key.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { useGroupNames } from "@/api/groups";
import { type Key, keyQuery, useCreateKey, useUpdateKey } from "@/api/keys";
import { useIsAdmin } from "@/api/session";
import { usersQuery } from "@/api/users";
import { toast } from "@/app/toasts";
import { ExpiryField } from "@/components/form/expiry-field";
import { FieldSection } from "@/components/form/field";
import { SwitchField, TextField } from "@/components/form/fields";
import { FormFrame, FormSheet, FormSkeleton } from "@/components/form/form-sheet";
import { TokensField } from "@/components/form/tokens-field";
import { QueryFailure } from "@/components/query-failure";
import { type Form, useForm } from "@/lib/form";
import { useMessages } from "@/lib/i18n";

import { showKey } from "../secret";
import { LimitFields } from "./limit-fields";
import { formMessages } from "./messages";
import { type LimitValues, NEW_KEY, keyPatch, keyValues } from "./values";

const WIDE = "sm:col-span-2";

interface Props {
  /** The one to edit. */
  id: number | undefined;
  /** Whose new one it is. */
  userId: number | undefined;
  onClose: () => void;
}

export function KeyForm({ id, userId, onClose }: Props) {
  const t = useMessages(formMessages);
  const query = useQuery({ ...keyQuery(id ?? 0), enabled: id !== undefined, staleTime: Infinity, gcTime: 0 });
  const isAdmin = useIsAdmin();
  const users = useQuery({ ...usersQuery, enabled: isAdmin }).data;
  const owner = users?.find((user) => user.id === userId)?.name;
  const version = query.data;
  return (
    <FormSheet
      title={id === undefined ? t.createKey : t.editKey(version?.value.name ?? "")}
      description={id === undefined && owner ? t.createKeyFor(owner) : undefined}
      isOpen={id !== undefined || userId !== undefined}
      onClose={onClose}
    >
      {id !== undefined && query.isError ? (
        <QueryFailure query={query} />
      ) : id !== undefined && !version ? (
        <FormSkeleton />
      ) : (
        <Body key={version?.etag ?? "new"} source={version?.value} userId={userId ?? 0} etag={version?.etag ?? ""} onDone={onClose} onReload={() => void query.refetch()} />
      )}
    </FormSheet>
  );
}

interface BodyProps {
  source: Key | undefined;
  userId: number;
  etag: string;
  onDone: () => void;
  onReload: () => void;
}

function Body({ source, userId, etag, onDone, onReload }: BodyProps) {
  const t = useMessages(formMessages);
  const { fields: f, sections: s } = t;
  const isAdmin = useIsAdmin();
  const groups = useGroupNames(isAdmin);
  const create = useCreateKey();
  const update = useUpdateKey();
  const { error, isPending } = source ? update : create;
  const [initial] = useState(() => (source ? keyValues(source) : NEW_KEY));
  const form = useForm(initial, error);
  const save = () => {
    const patch = keyPatch(form.values, form.changed);
    if (source) {
      update.mutate({ id: source.id, patch, etag }, { onSuccess: () => (toast.done(t.saved(form.values.name)), onDone()) });
    } else {
      create.mutate({ userId, body: patch }, { onSuccess: (made) => (onDone(), showKey(made)) });
    }
  };
  return (
    <FormFrame changes={form.changed.length} isEdit={source !== undefined} isPending={isPending} error={error} onSubmit={save} onReload={onReload} create={t.addKey}>
      <FieldSection title={s.key[0]} help={s.key[1]}>
        <TextField form={form} name="name" label={f.keyName[0]} help={f.keyName[1]} placeholder="default" autoComplete="off" autoFocus={!source} />
        <TokensField form={form} name="providerGroup" label={f.keyGroup[0]} help={f.keyGroup[1]} suggestions={groups} />
        <SwitchField form={form} name="isEnabled" label={f.keyEnabled[0]} help={f.keyEnabled[1]} />
        <SwitchField form={form} name="canLoginWebUi" label={f.canLoginWebUi[0]} help={f.canLoginWebUi[1]} />
      </FieldSection>
      <FieldSection title={s.time[0]} help={s.time[1]}>
        <ExpiryField form={form} name="expiresAt" label={f.expiresAt[0]} help={f.expiresAt[1]} className={WIDE} />
      </FieldSection>
      <LimitFields form={form as unknown as Form<LimitValues>} moneyHelp={t.keyMoney} />
    </FormFrame>
  );
}
