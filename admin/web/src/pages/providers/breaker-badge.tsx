// How a provider's breakers stand; pressed, it says why and offers to close them.
import { RotateCcwIcon } from "lucide-react";

import { type Breaker, type Provider, useResetBreakers } from "@/api/providers";
import { toast } from "@/app/toasts";
import { BreakerReason } from "@/components/breaker-reason";
import { RelativeTime, useNow } from "@/components/time";
import { Badge, Dot, type Tone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";
import { worst } from "./rows";

const TONES: Record<Breaker["state"], Tone> = { closed: "ok", open: "bad", half_open: "warn", resting: "warn" };

interface Props {
  provider: Provider;
  breakers: readonly Breaker[];
}

export function BreakerBadge({ provider, breakers }: Props) {
  const t = useMessages(messages).breaker;
  const shown = worst(breakers);
  if (!shown) {
    const isOff = provider.breaker.failureThreshold === 0 && provider.breaker.failurePercent === 0;
    return (
      <span className="inline-flex items-center gap-1.5 text-muted-foreground">
        <Dot tone={isOff ? "outline" : "ok"} />
        {isOff ? t.disabled : t.closed}
      </span>
    );
  }
  return (
    <Popover>
      <PopoverTrigger className="rounded">
        <Badge tone={TONES[shown.state]}>
          <Dot tone={TONES[shown.state]} isLive />
          {t[shown.state]}
          {shown.openUntil && <Countdown until={shown.openUntil} />}
        </Badge>
        <span className="sr-only">{t.details(provider.name)}</span>
      </PopoverTrigger>
      <PopoverContent className="max-h-[60dvh] overflow-y-auto">
        <BreakerDetails provider={provider} breakers={breakers} />
      </PopoverContent>
    </Popover>
  );
}

function Countdown({ until }: { until: string }) {
  const left = Math.max(0, Math.round((Date.parse(until) - useNow()) / 1000));
  return <span className="tabular-nums">{left >= 60 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` : `${left} s`}</span>;
}

function BreakerDetails({ provider, breakers }: Props) {
  const t = useMessages(messages).breaker;
  const reset = useResetBreakers();
  const close = () => void reset.mutateAsync(provider.id).then(() => toast.done(t.resetDone(provider.name)), toast.failed);
  return (
    <div className="space-y-3 text-[0.8125rem]">
      {breakers.map((breaker) => (
        <BreakerCard key={`${breaker.scope} ${breaker.subject ?? ""}`} breaker={breaker} />
      ))}
      <div className="flex items-center gap-3 border-t pt-3">
        <p className="flex-1 text-xs text-muted-foreground">{t.resetText}</p>
        <Button size="small" disabled={reset.isPending} onClick={close}>
          <RotateCcwIcon /> {t.reset}
        </Button>
      </div>
    </div>
  );
}

function BreakerCard({ breaker }: { breaker: Breaker }) {
  const t = useMessages(messages).breaker;
  const subject = breaker.subject ?? "";
  const what = breaker.scope === "provider" ? t.whole : breaker.scope === "endpoint" ? t.endpoint(subject) : t.model(subject);
  return (
    <section className="space-y-2">
      <h3 className="flex items-center gap-2 font-medium">
        <span className="min-w-0 flex-1 truncate">{what}</span>
        <Badge tone={TONES[breaker.state]}>{t[breaker.state]}</Badge>
      </h3>
      {breaker.reason && <p className="text-pretty"><BreakerReason reason={breaker.reason} /></p>}
      <p className="text-xs text-muted-foreground">
        {breaker.openedAt && <RelativeTime value={breaker.openedAt} />}
        {breaker.timesOpened > 1 && ` · ${t.times(breaker.timesOpened)}`}
        {breaker.advised && ` · ${t.advised}`}
      </p>
      {breaker.samples.length > 0 && (
        <div>
          <h4 className="pb-1 text-2xs font-medium text-muted-foreground">{t.failures}</h4>
          <ul className="divide-y rounded-md border text-xs">
            {breaker.samples.slice(0, 5).map((sample) => (
              <li key={`${sample.at} ${sample.message}`} className="flex gap-2 px-2 py-1.5">
                <span className="min-w-0 flex-1 break-words">{sample.message}</span>
                <RelativeTime value={sample.at} className="shrink-0 text-muted-foreground" />
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
