// What can be done with one entry of a list: edit it, more of the page's own, delete it once that was confirmed.
import type { UseMutationResult } from "@tanstack/react-query";
import { EllipsisIcon, PencilIcon, Trash2Icon } from "lucide-react";
import { type ReactNode, useState } from "react";

import { toast } from "@/app/toasts";

import { Confirm } from "./confirm";
import { Button } from "./ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "./ui/menu";

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
      <Menu>
        <MenuTrigger asChild>
          <Button look="ghost" size="icon-small" aria-label={words.actionsOf(name)}>
            <EllipsisIcon />
          </Button>
        </MenuTrigger>
        <MenuContent align="end">
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
        </MenuContent>
      </Menu>
      {isAsking && <Confirm title={words.removeTitle(name)} text={words.removeText} action={words.remove} isPending={remove.isPending} onConfirm={run} onClose={() => setIsAsking(false)} />}
    </>
  );
}
