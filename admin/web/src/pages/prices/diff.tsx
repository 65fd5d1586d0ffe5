// What a table would change, before it does.
import { CircleCheckIcon } from "lucide-react";
import { useState } from "react";

import type { ImportReport, PriceDifference } from "@/api/prices";
import { Badge } from "@/components/ui/badge";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { changesOf } from "./figures";
import { messages } from "./messages";

type View = "changed" | "added" | "ignored";

export function Diff({ report }: { report: ImportReport }) {
  const t = useMessages(messages);
  const format = useFormat();
  const counts: readonly (readonly [View, number])[] = [["changed", report.changedCount], ["added", report.addedCount], ["ignored", report.ignoredCount]];
  const [view, setView] = useState<View>(counts.find(([, count]) => count > 0)?.[0] ?? "changed");
  return (
    <div>
      {report.addedCount + report.changedCount === 0 && (
        <p className="flex items-center gap-2 pb-3 text-[0.8125rem]">
          <CircleCheckIcon aria-hidden className="size-4 text-ok" /> {t.upToDate}
        </p>
      )}
      <Tabs value={view} onValueChange={(next) => setView(counts.find(([name]) => name === next)?.[0] ?? view)}>
        <div className="flex items-end gap-4">
          <TabsList className="flex-1">
            {counts.map(([name, count]) => (
              <TabsTrigger key={name} value={name}>
                {t[name]} <span className="text-muted-foreground tabular-nums">{format.count(count)}</span>
              </TabsTrigger>
            ))}
            <span className="ml-auto py-2 text-[0.8125rem] text-muted-foreground tabular-nums">
              {t.unchanged} {format.count(report.unchangedCount)}
            </span>
          </TabsList>
        </div>
        <TabsContent value="changed">
          <Differences items={report.changed} count={report.changedCount} />
        </TabsContent>
        <TabsContent value="added">
          <Differences items={report.added} count={report.addedCount} />
        </TabsContent>
        <TabsContent value="ignored">
          <ul className="divide-y divide-border/60">
            {report.ignored.map(({ model, reason }) => (
              <li key={model} className="flex flex-wrap gap-x-3 py-1.5 text-xs">
                <span className="min-w-0 font-mono break-all">{model}</span>
                <span className="text-muted-foreground">{reason}</span>
              </li>
            ))}
          </ul>
          <FirstOnly shown={report.ignored.length} count={report.ignoredCount} />
        </TabsContent>
      </Tabs>
    </div>
  );
}

function FirstOnly({ shown, count }: { shown: number; count: number }) {
  const t = useMessages(messages);
  const format = useFormat();
  return shown < count ? <p className="pt-2 text-xs text-muted-foreground">{t.firstOnly(format.count(shown))}</p> : null;
}

function Differences({ items, count }: { items: readonly PriceDifference[]; count: number }) {
  const t = useMessages(messages);
  return (
    <>
      <ul className="divide-y divide-border/60">
        {items.map((item) => (
          <li key={item.model} className="py-2">
            <p className="flex items-center gap-2">
              <span className="min-w-0 truncate font-mono text-xs">{item.model}</span>
              {item.isOverruled && <Badge tone="accent">{t.overruled}</Badge>}
            </p>
            <p className="mt-1 flex flex-wrap gap-x-4 gap-y-0.5 text-xs tabular-nums">
              {changesOf(item.before, item.after).map(({ name, before, after }) => {
                const isSame = before === after;
                return (
                  <span key={name} className={cn(isSame && "text-muted-foreground")}>
                    <span className="text-muted-foreground">{name}</span>{" "}
                    {!isSame && before !== null && <del className="rounded bg-bad-soft px-1 text-bad">{before}</del>}{" "}
                    {after === null ? null : isSame ? after : <ins className="rounded bg-ok-soft px-1 text-ok no-underline">{after}</ins>}
                  </span>
                );
              })}
            </p>
          </li>
        ))}
      </ul>
      <FirstOnly shown={items.length} count={count} />
    </>
  );
}
