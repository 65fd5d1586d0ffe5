// What can be done with a user from the row.
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { KeyRoundIcon, PencilIcon, RotateCcwIcon, ScrollTextIcon, Trash2Icon } from "lucide-react";
import { useState } from "react";

import { type User, useDeleteUser, useEnableUser, useRenewUser, useResetUserLimits } from "@/api/users";
import { toast } from "@/app/toasts";
import { Confirm } from "@/components/confirm";
import { RowMenu } from "@/components/row-menu";
import { MenuItem } from "@/components/ui/menu";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";
import { RenewItems } from "./renew-items";

const route = getRouteApi("/app/users");

/** Switches a user on or off, says so, and offers the way back. */
export function useEnable(): (user: User, enabled: boolean) => void {
  const t = useMessages(messages);
  const { mutate } = useEnableUser();
  return ({ id, name }, enabled) =>
    mutate(
      { id, enabled },
      {
        onSuccess: () => toast.done(enabled ? t.on(name) : t.isOff(name), () => mutate({ id, enabled: !enabled }, { onError: toast.failed })),
        onError: toast.failed,
      },
    );
}

type Asking = "remove" | "reset" | null;

export function UserActions({ user, keys }: { user: User; keys: number }) {
  const t = useMessages(messages);
  const navigate = useNavigate();
  const goHere = route.useNavigate();
  const [asking, setAsking] = useState<Asking>(null);
  const renew = useRenewUser();
  const { id, name } = user;
  const open = (part: { edit?: number; newKey?: number }) => void goHere({ search: (search) => ({ ...search, ...part }) });
  return (
    <>
      <RowMenu label={t.actionsOf(name)}>
        <MenuItem onSelect={() => open({ edit: id })}>
          <PencilIcon /> {t.edit}
        </MenuItem>
        <MenuItem onSelect={() => open({ newKey: id })}>
          <KeyRoundIcon /> {t.newKey}
        </MenuItem>
        <MenuItem onSelect={() => void navigate({ to: "/requests", search: { user: id } })}>
          <ScrollTextIcon /> {t.requests}
        </MenuItem>
        <RenewItems entry={user} renew={renew} />
        <MenuItem onSelect={() => setAsking("reset")}>
          <RotateCcwIcon /> {t.resetLimits}
        </MenuItem>
        <MenuItem isDanger onSelect={() => setAsking("remove")}>
          <Trash2Icon /> {t.remove}
        </MenuItem>
      </RowMenu>
      {asking === "remove" && <RemoveUser user={user} keys={keys} onClose={() => setAsking(null)} />}
      {asking === "reset" && <ResetUser user={user} onClose={() => setAsking(null)} />}
    </>
  );
}

function RemoveUser({ user, keys, onClose }: { user: User; keys: number; onClose: () => void }) {
  const t = useMessages(messages);
  const navigate = route.useNavigate();
  const remove = useDeleteUser();
  const run = () =>
    remove.mutate(user.id, {
      onSuccess: () => {
        toast.done(t.removed(user.name));
        void navigate({ search: ({ user: _user, edit: _edit, ...rest }) => rest, replace: true });
      },
      onError: toast.failed,
      onSettled: onClose,
    });
  return <Confirm title={t.removeTitle(user.name)} text={t.removeText(keys)} action={t.remove} isPending={remove.isPending} onConfirm={run} onClose={onClose} />;
}

function ResetUser({ user, onClose }: { user: User; onClose: () => void }) {
  const t = useMessages(messages);
  const reset = useResetUserLimits();
  const run = () => reset.mutate(user.id, { onSuccess: () => toast.done(t.resetDone(user.name)), onError: toast.failed, onSettled: onClose });
  return <Confirm isDanger={false} title={t.resetTitle(user.name)} text={t.resetText} action={t.resetLimits} isPending={reset.isPending} onConfirm={run} onClose={onClose} />;
}
