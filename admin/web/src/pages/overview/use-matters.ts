// Gathers what may need attention. Of limits only those are asked for whose owners called today: few, whatever the number of keys.
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { healthQuery } from "@/api/health";
import { type LimitUsage, keyLimitsQuery, userLimitsQuery } from "@/api/limits";
import { unpricedQuery } from "@/api/prices";
import { breakersQuery, providersQuery } from "@/api/providers";
import { type Span, topUsageQuery } from "@/api/usage";
import { keysQuery, usersQuery } from "@/api/users";

import { type Matter, type Owner, hasMoneyLimit, mattersOf, ownerOf } from "./attention";

/** Of users and of keys each. */
const MOST_ASKED = 12;
const NONE: never[] = [];

export function useMatters(today: Span | null): Matter[] | undefined {
  const health = useQuery(healthQuery).data;
  const breakers = useQuery(breakersQuery).data;
  const providers = useQuery(providersQuery).data;
  const unpriced = useQuery(unpricedQuery).data;
  const users = useQuery(usersQuery).data;
  const keys = useQuery(keysQuery).data;
  const enabled = today !== null;
  const byUser = useQuery({ ...topUsageQuery("user", { ...today, limit: 100 }), enabled }).data ?? NONE;
  const byKey = useQuery({ ...topUsageQuery("key", { ...today, limit: 100 }), enabled }).data ?? NONE;
  const owners = useMemo(() => {
    const userOf = new Map(users?.map((user) => [user.id, user]));
    const keyOf = new Map(keys?.map((key) => [key.id, key]));
    const limited: Owner[] = byUser
      .flatMap(({ id }) => {
        const user = userOf.get(id ?? 0);
        return user && hasMoneyLimit(user) ? [{ kind: "user" as const, id: user.id, name: user.name }] : [];
      })
      .slice(0, MOST_ASKED);
    const limitedKeys = byKey
      .flatMap(({ id }) => {
        const key = keyOf.get(id ?? 0);
        return key && hasMoneyLimit(key) ? [ownerOf(key, userOf)] : [];
      })
      .slice(0, MOST_ASKED);
    return [...limited, ...limitedKeys];
  }, [users, keys, byUser, byKey]);
  const usages = useQueries({
    queries: owners.map(({ kind, id }) => ({ ...(kind === "user" ? userLimitsQuery(id) : keyLimitsQuery(id)) })),
    combine: (results) => results.map(({ data }) => data as LimitUsage | undefined),
  });
  if (!health || !providers || !users || !keys) return undefined;
  const limits = owners.flatMap((owner, at) => {
    const usage = usages[at];
    return usage ? [{ owner, usage }] : [];
  });
  return mattersOf({ parts: health.parts, breakers: breakers ?? NONE, providers, unpriced: unpriced ?? NONE, limits, users, keys, now: Date.now() });
}
