// What can be done with one entry of a list: edit it, more of the page's own, delete it once that was confirmed.
import type { UseMutationResult } from "@tanstack/react-query";
import { PencilIcon, Trash2Icon } from "lucide-react";
import { type ReactNode, useState } from "react";

import { toast } from "@/app/toasts";

import { Confirm } from "./confirm";
import { RowMenu } from "./row-menu";
import { MenuItem, MenuSeparator } from "./ui/menu";

interface Props {
  entry: { id: number; name: string };
  words: {
    actionsOf: (name: string) => string;
    edit: string;
    remove: string;
    removeTitle: (name: string) => string;
    removeText: string;
    removed: (name: string) => string;
  };
  onEdit: () => void;
  remove: UseMutationResult<unknown, Error, number>;
  /** More of the menu. */
  children?: ReactNode;
}

export function RowActions({ entry: { id, name }, words, onEdit, remove, children }: Props) {
  const [isAsking, setIsAsking] = useState(false);
  const run = () => remove.mutate(id, { onSuccess: () => toast.done(words.removed(name)), onError: toast.failed, onSettled: () => setIsAsking(false) });
  return (
    <>
      <RowMenu label={words.actionsOf(name)}>
        <MenuItem onSelect={onEdit}>
          <PencilIcon /> {words.edit}
        </MenuItem>
        {children && (
          <>
            {children}
            <MenuSeparator />
          </>
        )}
        <MenuItem isDanger onSelect={() => setIsAsking(true)}>
          <Trash2Icon /> {words.remove}
        </MenuItem>
      </RowMenu>
      {isAsking && <Confirm title={words.removeTitle(name)} text={words.removeText} action={words.remove} isPending={remove.isPending} onConfirm={run} onClose={() => setIsAsking(false)} />}
    </>
  );
}
