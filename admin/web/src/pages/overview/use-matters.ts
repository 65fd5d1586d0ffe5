// Gathers what may need attention.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { healthQuery } from "@/api/health";
import { nearLimitsQuery } from "@/api/limits";
import { unpricedQuery } from "@/api/prices";
import { breakersQuery, providersQuery } from "@/api/providers";
import { keysQuery, usersQuery } from "@/api/users";
import { NEARLY } from "@/components/meter";

import { type Matter, mattersOf } from "./attention";

const NONE: never[] = [];

export function useMatters(): Matter[] | undefined {
  const health = useQuery(healthQuery).data;
  const breakers = useQuery(breakersQuery).data;
  const providers = useQuery(providersQuery).data;
  const unpriced = useQuery(unpricedQuery).data;
  const near = useQuery(nearLimitsQuery(NEARLY)).data;
  const users = useQuery(usersQuery).data;
  const keys = useQuery(keysQuery).data;
  return useMemo(() => {
    if (!health || !providers || !users || !keys || !near) return undefined;
    return mattersOf({ parts: health.parts, breakers: breakers ?? NONE, providers, unpriced: unpriced ?? NONE, limits: near.items, users, keys, now: Date.now() });
  }, [health, breakers, providers, unpriced, near, users, keys]);
}
