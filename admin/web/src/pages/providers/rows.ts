// What the table of providers shows: each with its breakers and its last day, chosen and put in order as the address says.
import type { Breaker, Provider } from "@/api/providers";
import type { UsageShare } from "@/api/usage";

import type { ProvidersSearch } from "./route";

export interface ProviderRow {
  provider: Provider;
  /** Those that are not closed. */
  breakers: readonly Breaker[];
  usage: UsageShare["usage"] | undefined;
}

/** The one to show of several: the whole provider's before an address's or a model's. */
export function worst(breakers: readonly Breaker[]): Breaker | undefined {
  return breakers.find((breaker) => breaker.scope === "provider") ?? breakers[0];
}

export function toRows(providers: readonly Provider[], breakers: readonly Breaker[], usage: readonly UsageShare[]): ProviderRow[] {
  const used = new Map(usage.map((share) => [share.id, share.usage]));
  return providers.map((provider) => ({
    provider,
    breakers: breakers.filter((breaker) => breaker.providerId === provider.id),
    usage: used.get(provider.id),
  }));
}

/** Those that fit. */
export function choose(rows: readonly ProviderRow[], { q, show }: ProvidersSearch): ProviderRow[] {
  const wanted = q?.toLowerCase();
  return rows.filter(({ provider, breakers }) => {
    if (show === "enabled" && !provider.isEnabled) return false;
    if (show === "disabled" && provider.isEnabled) return false;
    if (show === "unwell" && breakers.length === 0 && provider.apiKeySet) return false;
    if (!wanted) return true;
    return [provider.name, provider.url, provider.note, provider.type, ...provider.groupTags].some((text) => text.toLowerCase().includes(wanted));
  });
}

const ORDERS: Record<string, (row: ProviderRow) => number | string> = {
  name: ({ provider }) => provider.name.toLowerCase(),
  priority: ({ provider }) => provider.priority,
  weight: ({ provider }) => provider.weight,
  isEnabled: ({ provider }) => Number(!provider.isEnabled),
  breaker: ({ breakers }) => -breakers.length,
  requests: ({ usage }) => usage?.requests ?? 0,
  errors: ({ usage }) => errorShare(usage) ?? -1,
  cost: ({ usage }) => Number(usage?.costUsd ?? 0),
};

/** In the order asked for; else as requests try them: by tier, then the heavier first. */
export function order(rows: readonly ProviderRow[], { sort, desc }: ProvidersSearch): ProviderRow[] {
  const key = sort ? ORDERS[sort] : undefined;
  const byTier = (a: ProviderRow, b: ProviderRow) =>
    Number(b.provider.isEnabled) - Number(a.provider.isEnabled) ||
    a.provider.priority - b.provider.priority ||
    b.provider.weight - a.provider.weight ||
    a.provider.id - b.provider.id;
  if (!key) return [...rows].sort(byTier);
  const sign = desc ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === y) return byTier(a, b);
    return x < y ? -sign : sign;
  });
}

export function errorShare(usage: ProviderRow["usage"]): number | undefined {
  return usage && usage.requests > 0 ? usage.failures / usage.requests : undefined;
}
