// One model's price: its figures, its tiers, and what it was before.
import { useQuery } from "@tanstack/react-query";
import { PencilIcon, Trash2Icon } from "lucide-react";
import { type ReactNode, useState } from "react";

import { type PriceChange, priceHistoryQuery, useDeletePrice, versionedPriceQuery } from "@/api/prices";
import { toast } from "@/app/toasts";
import { Confirm } from "@/components/confirm";
import { QueryFailure } from "@/components/query-failure";
import { ClockTime } from "@/components/time";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { SheetContent } from "@/components/ui/dialog";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { SourceBadge } from "./columns";
import { type Figures, TOKEN_FIGURES, dollars, listed } from "./figures";
import { messages } from "./messages";

interface Props {
  model: string;
  onEdit: () => void;
  onClose: () => void;
}

export function PriceSheet({ model, onEdit, onClose }: Props) {
  const t = useMessages(messages);
  const format = useFormat();
  const remove = useDeletePrice();
  // What is being deleted is not asked for again.
  const enabled = remove.isIdle || remove.isError;
  const price = useQuery({ ...versionedPriceQuery(model), enabled });
  const history = useQuery({ ...priceHistoryQuery(model), enabled });
  const [isAsking, setIsAsking] = useState(false);
  const value = price.data?.value;
  const run = () =>
    remove.mutate(model, {
      onSuccess: () => {
        toast.done(t.removed(model));
        onClose();
      },
      onError: (error) => {
        setIsAsking(false);
        toast.failed(error);
      },
    });
  return (
    <SheetContent
      title={<span className="font-mono text-sm">{model}</span>}
      description={value ? [value.pricedAs !== model && t.pricedAs(value.pricedAs), value.effectiveAt ? t.holdsSince(format.exact(value.effectiveAt)) : t.holdsAlways].filter(Boolean).join(" · ") : model}
      footer={
        <>
          {value?.source === "manual" && (
            <Button look="ghost" className="mr-auto text-bad" onClick={() => setIsAsking(true)}>
              <Trash2Icon /> {t.remove}
            </Button>
          )}
          <Button look="primary" onClick={onEdit}>
            <PencilIcon /> {value?.source === "manual" ? t.edit : t.setByHand}
          </Button>
        </>
      }
    >
      {price.error ? (
        <QueryFailure query={price} />
      ) : !value ? (
        <div aria-busy className="space-y-3">
          <Skeleton className="h-24" />
          <Skeleton className="w-1/2" />
        </div>
      ) : (
        <div className="space-y-6">
          <FigureGrid figures={value} />
          {value.aliases.length > 0 && (
            <Section title={t.aliases}>
              <p className="flex flex-wrap gap-1.5">
                {value.aliases.map((alias) => (
                  <Badge key={alias} tone="outline" className="font-mono">{alias}</Badge>
                ))}
              </p>
            </Section>
          )}
          {value.tiers.length > 0 && (
            <Section title={t.longPrompts}>
              <div className="space-y-3">
                {value.tiers.map((tier, index) => (
                  <div key={index}>
                    <p className="pb-1 text-[0.8125rem]">
                      {[tier.serviceTier !== "standard" && t.service(tier.serviceTier), tier.aboveTokens > 0 && t.above(format.count(tier.aboveTokens))].filter(Boolean).join(" · ")}
                    </p>
                    <FigureGrid figures={tier} isSmall />
                  </div>
                ))}
              </div>
            </Section>
          )}
          <Section title={t.history}>{history.data ? <History changes={history.data} /> : <Skeleton className="h-10" />}</Section>
        </div>
      )}
      {isAsking && (
        <Confirm title={t.removeTitle(model)} text={t.removeText} action={t.remove} onConfirm={run} onClose={() => setIsAsking(false)} isPending={remove.isPending} />
      )}
    </SheetContent>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="pb-2 text-xs font-medium text-muted-foreground">{title}</h3>
      {children}
    </section>
  );
}

function FigureGrid({ figures, isSmall }: { figures: Figures; isSmall?: boolean }) {
  const t = useMessages(messages);
  const isPerMillion = (name: string) => (TOKEN_FIGURES as readonly string[]).includes(name);
  return (
    <div className="overflow-hidden rounded-lg border">
      <dl className="-mr-px -mb-px grid grid-cols-2 bg-surface sm:grid-cols-3">
        {listed(figures).map(([name, value]) => (
          <div key={name} className={cn("border-r border-b px-3", isSmall ? "py-1.5" : "py-2")}>
            <dt className="truncate text-2xs text-muted-foreground">{t.figures[name]}</dt>
            <dd className={cn("tabular-nums", isSmall ? "text-[0.8125rem]" : "text-[0.9375rem] font-medium")}>
              {dollars(value)} {isPerMillion(name) && <span className="text-2xs font-normal text-muted-foreground">{t.perMillion}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function History({ changes }: { changes: readonly PriceChange[] }) {
  const t = useMessages(messages);
  return (
    <ol className="divide-y divide-border/60 border-y border-border/60">
      {changes.map((change, index) => (
        <li key={index} className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2 text-[0.8125rem]">
          <span className="w-32 shrink-0 text-xs text-muted-foreground">{change.effectiveAt ? <ClockTime value={change.effectiveAt} /> : t.always}</span>
          <SourceBadge source={change.source} />
          {change.isEnd ? (
            <span className="text-muted-foreground">{t.ended}</span>
          ) : (
            <span className="flex min-w-0 flex-wrap gap-x-3 tabular-nums">
              {listed(change).map(([name, value]) => (
                <span key={name}>
                  <span className="text-xs text-muted-foreground">{t.figures[name]}</span> {dollars(value)}
                </span>
              ))}
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}
