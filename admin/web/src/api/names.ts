// The names behind ids, for logs. What is gone keeps its number.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { type Provider, providersQuery } from "./providers";
import { useSession } from "./session";
import { keysQuery, usersQuery } from "./users";

type Id = number | null | undefined;

export interface Names {
  user: (id: Id) => string | undefined;
  key: (id: Id) => string | undefined;
  provider: (id: Id) => Provider | undefined;
}

export function useNames(): Names {
  const session = useSession();
  const isAdmin = session?.role === "admin";
  const own = session?.me.user;
  const users = useQuery({ ...usersQuery, enabled: isAdmin }).data;
  const keys = useQuery(keysQuery).data;
  const providers = useQuery({ ...providersQuery, enabled: isAdmin }).data;
  return useMemo(() => {
    const userNames = new Map((users ?? (own ? [own] : [])).map(({ id, name }) => [id, name]));
    const keyNames = new Map(keys?.map(({ id, name }) => [id, name]));
    const byId = new Map(providers?.map((provider) => [provider.id, provider]));
    const named = (names: ReadonlyMap<number, string>) => (id: Id) => (id === null || id === undefined ? undefined : (names.get(id) ?? `#${id}`));
    return {
      user: named(userNames),
      key: named(keyNames),
      provider: (id) => (id === null || id === undefined ? undefined : byId.get(id)),
    };
  }, [users, own, keys, providers]);
}
