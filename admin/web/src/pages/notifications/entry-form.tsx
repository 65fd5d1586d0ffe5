// The frame of both forms: what is edited is read first, a new one begins empty, and what is saved is told.
import { type UseQueryOptions, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ComponentType } from "react";

import { toast } from "@/app/toasts";
import { FormSheet, FormSkeleton } from "@/components/form/form-sheet";
import { QueryFailure } from "@/components/query-failure";

const route = getRouteApi("/app/notifications");

interface Version<T> {
  value: T;
  etag: string;
}

export interface BodyProps<T> {
  /** What is stored; nothing for a new one. */
  stored: T | undefined;
  etag: string;
  /** It was saved: says so in these words, and closes the form. */
  onDone: (words: string) => void;
  onReload: () => void;
}

interface Props<T> {
  words: { create: string; editing: (name: string) => string };
  /** How one is read. */
  query: (id: number) => UseQueryOptions<Version<T>, Error, Version<T>, (string | number)[]>;
  body: ComponentType<BodyProps<T>>;
}

export function EntryForm<T extends { name: string }>({ words, query: queryOf, body: Body }: Props<T>) {
  const { edit, create } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery({ ...queryOf(edit ?? 0), enabled: edit !== undefined, staleTime: Infinity, gcTime: 0 });
  const version = query.data;
  const close = () => void navigate({ search: ({ edit: _edit, create: _create, ...rest }) => rest });
  const done = (text: string) => {
    toast.done(text);
    close();
  };
  return (
    <FormSheet title={edit === undefined ? words.create : words.editing(version?.value.name ?? "")} isOpen={edit !== undefined || create === true} onClose={close} className="max-w-lg">
      {edit !== undefined && query.isError ? (
        <QueryFailure query={query} />
      ) : edit !== undefined && !version ? (
        <FormSkeleton fields={6} />
      ) : (
        <Body key={version?.etag ?? "new"} stored={version?.value} etag={version?.etag ?? ""} onDone={done} onReload={() => void query.refetch()} />
      )}
    </FormSheet>
  );
}
