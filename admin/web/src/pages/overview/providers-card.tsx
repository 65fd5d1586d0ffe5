// How each provider is, with what it did today.
import { Link } from "@tanstack/react-router";

import type { Breaker, Provider } from "@/api/providers";
import type { UsageShare } from "@/api/usage";
import { ProviderMark } from "@/components/provider-mark";
import { Dot, type Tone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { errorShare } from "@/lib/measure";

import { messages } from "./messages";

type State = "off" | "ok" | "idle" | "open" | "half_open" | "resting" | "partly";
const TONES: Record<State, Tone> = { off: "outline", ok: "ok", idle: "neutral", open: "bad", half_open: "warn", resting: "warn", partly: "warn" };
/** Those that need a look stand first. */
const ORDER: readonly State[] = ["open", "half_open", "resting", "partly", "ok", "idle", "off"];
const MOST = 12;

interface Props {
  providers: readonly Provider[] | undefined;
  breakers: readonly Breaker[];
  today: readonly UsageShare[];
}

export function stateOf(provider: Provider, breakers: readonly Breaker[], requests: number): State {
  if (!provider.isEnabled) return "off";
  const own = breakers.filter(({ providerId, state }) => providerId === provider.id && state !== "closed");
  const whole = own.find(({ scope }) => scope === "provider");
  if (whole && whole.state !== "closed") return whole.state;
  if (own.length > 0) return "partly";
  return requests > 0 ? "ok" : "idle";
}

export function ProvidersCard({ providers, breakers, today }: Props) {
  const t = useMessages(messages);
  const format = useFormat();
  const usages = new Map(today.map(({ id, usage }) => [id, usage]));
  const rows = providers
    ?.map((provider) => {
      const usage = usages.get(provider.id);
      return { provider, usage, state: stateOf(provider, breakers, usage?.requests ?? 0) };
    })
    .toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (b.usage?.requests ?? 0) - (a.usage?.requests ?? 0));
  return (
    <Card>
      <CardHeader title={t.providers}>
        <Button asChild look="ghost" size="small">
          <Link to="/providers">{t.allProviders}</Link>
        </Button>
      </CardHeader>
      {!rows ? (
        <div aria-busy className="space-y-4 p-4">
          {Array.from({ length: 5 }, (_, index) => (
            <Skeleton key={index} className="h-6" />
          ))}
        </div>
      ) : (
        <ul className="divide-y divide-border/60">
          {rows.slice(0, MOST).map(({ provider, usage, state }) => {
            const errors = usage ? errorShare(usage) : null;
            return (
              <li key={provider.id} className="flex items-center gap-2.5 px-4 py-2">
                <ProviderMark type={provider.type} className="size-6 rounded-md text-2xs" />
                <div className="min-w-0 flex-1">
                  <Link to="/providers" search={{ edit: provider.id }} className={cn("block truncate rounded text-[0.8125rem] leading-4.5 hover:underline", state === "off" && "text-muted-foreground")}>
                    {provider.name}
                  </Link>
                  <span className="flex items-center gap-1.5 text-2xs text-muted-foreground">
                    <Dot tone={TONES[state]} />
                    {t.states[state]}
                  </span>
                </div>
                <div className="text-right text-[0.8125rem] leading-4.5 tabular-nums">
                  {usage ? format.usd(usage.costUsd) : "—"}
                  <span className="block text-2xs text-muted-foreground">
                    {usage && t.requests(format.count(usage.requests))}
                    {errors !== null && errors > 0 && <span className={errors > 0.05 ? "text-bad" : undefined}> · {format.percent(errors)} {t.errors.toLowerCase()}</span>}
                  </span>
                </div>
              </li>
            );
          })}
          {rows.length > MOST && <li className="px-4 py-2 text-xs text-muted-foreground">{t.more(rows.length - MOST)}</li>}
        </ul>
      )}
    </Card>
  );
}
