// The form of a user, beside the table; a new one gets its first key along with it.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { useGroupNames } from "@/api/groups";
import { useCreateKey } from "@/api/keys";
import { type User, type UserCreate, useCreateUser, useUpdateUser, userQuery, usersQuery } from "@/api/users";
import { toast } from "@/app/toasts";
import { ExpiryField } from "@/components/form/expiry-field";
import { FieldSection } from "@/components/form/field";
import { AreaField, SelectField, SwitchField, TextField } from "@/components/form/fields";
import { FormFrame, FormSheet, FormSkeleton } from "@/components/form/form-sheet";
import { TokensField } from "@/components/form/tokens-field";
import { QueryFailure } from "@/components/query-failure";
import { type Form, useForm } from "@/lib/form";
import { useMessages } from "@/lib/i18n";

import { showKey } from "../secret";
import { LimitFields } from "./limit-fields";
import { formMessages } from "./messages";
import { type LimitValues, NEW_USER, type UserValues, userPatch, userValues } from "./values";

/** The rules that stand for whole clients; any other is looked for in the `User-Agent`. */
const CLIENTS = ["claude-code", "claude-code-cli", "claude-code-vscode", "codex-cli", "gemini-cli"] as const;
const WIDE = "sm:col-span-2";

interface Props {
  /** The one to edit; without one a new one is made. */
  id: number | undefined;
  isOpen: boolean;
  onClose: () => void;
}

export function UserForm({ id, isOpen, onClose }: Props) {
  const t = useMessages(formMessages);
  const query = useQuery({ ...userQuery(id ?? 0), enabled: isOpen && id !== undefined, staleTime: Infinity, gcTime: 0 });
  const version = query.data;
  return (
    <FormSheet title={id === undefined ? t.createUser : t.editUser(version?.value.name ?? "")} isOpen={isOpen} onClose={onClose}>
      {id !== undefined && query.isError ? (
        <QueryFailure query={query} />
      ) : id !== undefined && !version ? (
        <FormSkeleton />
      ) : (
        <Body key={version?.etag ?? "new"} user={version?.value} etag={version?.etag ?? ""} onDone={onClose} onReload={() => void query.refetch()} />
      )}
    </FormSheet>
  );
}

interface BodyProps {
  user: User | undefined;
  etag: string;
  onDone: () => void;
  onReload: () => void;
}

function Body({ user, etag, onDone, onReload }: BodyProps) {
  const t = useMessages(formMessages);
  const create = useCreateUser();
  const createKey = useCreateKey();
  const update = useUpdateUser();
  const [initial] = useState(() => ({ ...(user ? userValues(user) : NEW_USER), withKey: !user }));
  const { error, isPending } = user ? update : create;
  const form = useForm(initial, error);
  const save = () => {
    const { withKey, ...values } = form.values;
    const changed = form.changed.filter((name): name is keyof UserValues => name !== "withKey");
    const patch = userPatch(values, changed);
    const name = values.name.trim();
    if (user) {
      update.mutate({ id: user.id, patch, etag }, { onSuccess: () => (toast.done(t.saved(name)), onDone()) });
      return;
    }
    const whole: UserCreate = { ...(patch as Partial<UserCreate>), name };
    create.mutate(whole, { onSuccess: (made) => void after(made.id, name) });
  };
  /** The form is closed last: what a closed form started tells nobody how it ended. */
  const after = async (id: number, name: string) => {
    try {
      if (form.values.withKey) showKey(await createKey.mutateAsync({ userId: id, body: {} }));
      else toast.done(t.created(name));
    } catch (failure) {
      toast.failed(failure);
    }
    onDone();
  };
  return (
    <FormFrame changes={form.changed.length} isEdit={user !== undefined} isPending={isPending} error={error} onSubmit={save} onReload={onReload} create={t.addUser}>
      <Who form={form as unknown as Form<UserValues>} />
      {!user && (
        <FieldSection title={t.sections.firstKey[0]} help={t.sections.firstKey[1]}>
          <SwitchField form={form} name="withKey" label={t.fields.withKey[0]} help={t.fields.withKey[1]} className={WIDE} />
        </FieldSection>
      )}
      <FieldSection title={t.sections.time[0]} help={t.sections.time[1]}>
        <ExpiryField form={form} name="expiresAt" label={t.fields.expiresAt[0]} help={t.fields.expiresAt[1]} className={WIDE} />
      </FieldSection>
      <LimitFields form={form as unknown as Form<LimitValues>} />
      <Access form={form as unknown as Form<UserValues>} />
    </FormFrame>
  );
}

function Who({ form }: { form: Form<UserValues> }) {
  const t = useMessages(formMessages);
  const { fields: f, sections: s } = t;
  const tags = [...new Set((useQuery(usersQuery).data ?? []).flatMap((user) => user.tags))].sort();
  return (
    <FieldSection title={s.who[0]} help={s.who[1]}>
      <TextField form={form} name="name" label={f.name[0]} help={f.name[1]} autoComplete="off" autoFocus={form.values.name === ""} />
      <SelectField form={form} name="role" label={f.role[0]} help={f.role[1]} options={(["user", "admin"] as const).map((value) => ({ value, label: t.roles[value] }))} />
      <TokensField form={form} name="tags" label={f.tags[0]} help={f.tags[1]} suggestions={tags} />
      <SwitchField form={form} name="isEnabled" label={f.isEnabled[0]} help={f.isEnabled[1]} />
      <AreaField form={form} name="note" label={f.note[0]} help={f.note[1]} rows={2} className={WIDE} />
    </FieldSection>
  );
}

function Access({ form }: { form: Form<UserValues> }) {
  const t = useMessages(formMessages);
  const { fields: f, sections: s } = t;
  return (
    <FieldSection title={s.access[0]} help={s.access[1]}>
      <TokensField form={form} name="providerGroup" label={f.providerGroup[0]} help={f.providerGroup[1]} suggestions={useGroupNames()} placeholder="default" />
      <TokensField form={form} name="allowedModels" label={f.allowedModels[0]} help={f.allowedModels[1]} isCode />
      <TokensField form={form} name="allowedClients" label={f.allowedClients[0]} help={f.allowedClients[1]} suggestions={CLIENTS} isCode />
      <TokensField form={form} name="blockedClients" label={f.blockedClients[0]} help={f.blockedClients[1]} suggestions={CLIENTS} isCode />
    </FieldSection>
  );
}
