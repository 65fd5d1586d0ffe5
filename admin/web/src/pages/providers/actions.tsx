// What can be done with a provider from its row, and the edits in place.
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { CopyPlusIcon, PencilIcon, RotateCcwIcon, ScrollTextIcon, Trash2Icon } from "lucide-react";
import { useState } from "react";

import { type InlinePatch, type Provider, useDeleteProvider, usePatchProvider, useResetBreakers } from "@/api/providers";
import { toast } from "@/app/toasts";
import { Confirm } from "@/components/confirm";
import { RowMenu } from "@/components/row-menu";
import { MenuItem, MenuSeparator } from "@/components/ui/menu";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

const route = getRouteApi("/app/providers");

/** Keeps an edit in place, says so, and offers the way back. */
export function useInlineEdit(): (provider: Provider, patch: InlinePatch) => void {
  const t = useMessages(messages).changed;
  const { mutateAsync } = usePatchProvider();
  return (provider, patch) => {
    const { id, name } = provider;
    const before: InlinePatch = {};
    if (patch.priority !== undefined) before.priority = provider.priority;
    if (patch.weight !== undefined) before.weight = provider.weight;
    if (patch.isEnabled !== undefined) before.isEnabled = provider.isEnabled;
    const words =
      patch.priority !== undefined ? t.priority(name, patch.priority)
      : patch.weight !== undefined ? t.weight(name, patch.weight)
      : patch.isEnabled ? t.on(name) : t.off(name);
    const undo = () => void mutateAsync({ id, patch: before }).catch(toast.failed);
    mutateAsync({ id, patch }).then(() => toast.done(words, undo), toast.failed);
  };
}

export function ProviderActions({ provider }: { provider: Provider }) {
  const t = useMessages(messages);
  const navigate = useNavigate();
  const goHere = route.useNavigate();
  const [isRemoving, setIsRemoving] = useState(false);
  const reset = useResetBreakers();
  const remove = useDeleteProvider();
  const { id, name } = provider;
  const resetNow = () => void reset.mutateAsync(id).then(() => toast.done(t.breaker.resetDone(name)), toast.failed);
  const removeNow = () =>
    void remove
      .mutateAsync(id)
      .then(() => toast.done(t.removed(name)), toast.failed)
      .finally(() => setIsRemoving(false));
  return (
    <>
      <RowMenu label={t.actionsOf(name)}>
        <MenuItem onSelect={() => void goHere({ search: (search) => ({ ...search, edit: id }) })}>
          <PencilIcon /> {t.edit}
        </MenuItem>
        <MenuItem onSelect={() => void goHere({ search: (search) => ({ ...search, create: id }) })}>
          <CopyPlusIcon /> {t.clone}
        </MenuItem>
        <MenuItem onSelect={() => void navigate({ to: "/requests", search: { provider: id } })}>
          <ScrollTextIcon /> {t.requests}
        </MenuItem>
        <MenuItem onSelect={resetNow}>
          <RotateCcwIcon /> {t.resetBreakers}
        </MenuItem>
        <MenuSeparator />
        <MenuItem isDanger onSelect={() => setIsRemoving(true)}>
          <Trash2Icon /> {t.remove}
        </MenuItem>
      </RowMenu>
      {isRemoving && (
        <Confirm
          title={t.removeTitle(name)}
          text={t.removeText}
          action={t.remove}
          isPending={remove.isPending}
          onConfirm={removeNow}
          onClose={() => setIsRemoving(false)}
        />
      )}
    </>
  );
}
