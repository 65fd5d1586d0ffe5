// What can be done with a key.
import { PencilIcon, RefreshCwIcon, RotateCcwIcon, ScrollTextIcon, Trash2Icon } from "lucide-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { type Key, useDeleteKey, useEnableKey, useRenewKey, useResetKeyLimits, useRotateKey } from "@/api/keys";
import { useIsAdmin } from "@/api/session";
import { toast } from "@/app/toasts";
import { Confirm } from "@/components/confirm";
import { RowMenu } from "@/components/row-menu";
import { MenuItem } from "@/components/ui/menu";
import { Switch } from "@/components/ui/switch";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";
import { RenewItems } from "./renew-items";
import { showKey } from "./secret";

export function KeySwitch({ entry }: { entry: Key }) {
  const t = useMessages(messages);
  const { mutate } = useEnableKey();
  const { id, name, isEnabled } = entry;
  const change = (enabled: boolean) =>
    mutate(
      { id, enabled },
      {
        onSuccess: () => toast.done(enabled ? t.on(name) : t.keyIsOff(name), () => mutate({ id, enabled: !enabled }, { onError: toast.failed })),
        onError: toast.failed,
      },
    );
  return <Switch aria-label={t.enabledOf(name)} checked={isEnabled} onCheckedChange={change} />;
}

type Asking = "rotate" | "remove" | "reset" | null;

export function KeyActions({ entry, onEdit }: { entry: Key; onEdit: () => void }) {
  const t = useMessages(messages);
  const isAdmin = useIsAdmin();
  const navigate = useNavigate();
  const [asking, setAsking] = useState<Asking>(null);
  const renew = useRenewKey();
  const { id, name } = entry;
  return (
    <>
      <RowMenu label={t.actionsOf(name)}>
        <MenuItem onSelect={onEdit}>
          <PencilIcon /> {t.edit}
        </MenuItem>
        <MenuItem onSelect={() => setAsking("rotate")}>
          <RefreshCwIcon /> {t.key.rotate}
        </MenuItem>
        <MenuItem onSelect={() => void navigate({ to: "/requests", search: { key: id } })}>
          <ScrollTextIcon /> {t.requests}
        </MenuItem>
        <RenewItems entry={entry} renew={renew} />
        {isAdmin && (
          <MenuItem onSelect={() => setAsking("reset")}>
            <RotateCcwIcon /> {t.resetLimits}
          </MenuItem>
        )}
        <MenuItem isDanger onSelect={() => setAsking("remove")}>
          <Trash2Icon /> {t.remove}
        </MenuItem>
      </RowMenu>
      {asking && <KeyQuestion asking={asking} entry={entry} onClose={() => setAsking(null)} />}
    </>
  );
}

function KeyQuestion({ asking, entry, onClose }: { asking: Exclude<Asking, null>; entry: Key; onClose: () => void }) {
  const t = useMessages(messages);
  const rotate = useRotateKey();
  const remove = useDeleteKey();
  const reset = useResetKeyLimits();
  const { id, name } = entry;
  const after = { onError: toast.failed, onSettled: onClose };
  switch (asking) {
    case "rotate":
      return <Confirm title={t.key.rotateTitle(name)} text={t.key.rotateText} action={t.key.rotate} isPending={rotate.isPending} onClose={onClose} onConfirm={() => rotate.mutate(id, { ...after, onSuccess: showKey })} />;
    case "remove":
      return <Confirm title={t.key.removeTitle(name)} text={t.key.removeText} action={t.remove} isPending={remove.isPending} onClose={onClose} onConfirm={() => remove.mutate(id, { ...after, onSuccess: () => toast.done(t.removed(name)) })} />;
    case "reset":
      return <Confirm isDanger={false} title={t.resetTitle(name)} text={t.resetText} action={t.resetLimits} isPending={reset.isPending} onClose={onClose} onConfirm={() => reset.mutate(id, { ...after, onSuccess: () => toast.done(t.resetDone(name)) })} />;
  }
}
