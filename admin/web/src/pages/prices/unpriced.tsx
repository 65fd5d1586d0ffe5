// Models that were used and have no cost, and what can be done about each.
import type { UseQueryResult } from "@tanstack/react-query";
import { BadgeCheckIcon } from "lucide-react";

import type { UnpricedModel } from "@/api/prices";
import { Empty } from "@/components/empty";
import { QueryFailure } from "@/components/query-failure";
import { TableSkeleton } from "@/components/table-skeleton";
import { RelativeTime } from "@/components/time";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

interface Props {
  query: UseQueryResult<UnpricedModel[]>;
  q: string | undefined;
  onSet: (model: string) => void;
  onReprice: (model: string) => void;
}

const HEAD = "px-1.5 py-1.5 font-normal";

export function Unpriced({ query, q, onSet, onReprice }: Props) {
  const t = useMessages(messages);
  const format = useFormat();
  if (query.error && !query.data) return <QueryFailure query={query} />;
  if (!query.data) return <TableSkeleton rowHeight={48} rows={4} />;
  const models = query.data.filter(({ model }) => !q || model.toLowerCase().includes(q.toLowerCase()));
  if (models.length === 0) return <Empty icon={BadgeCheckIcon} title={t.unpriced.none} text={t.unpriced.noneText} className="border-t" />;
  return (
    <div className="min-h-0 flex-1 overflow-auto border-t px-4 md:px-6">
      <table className="w-full text-[0.8125rem]">
        <thead className="text-xs text-muted-foreground">
          <tr className="border-b text-left">
            <th scope="col" className={HEAD}>{t.model}</th>
            <th scope="col" className={`${HEAD} text-right max-sm:hidden`}>{t.unpriced.attempts}</th>
            <th scope="col" className={`${HEAD} text-right max-md:hidden`}>{t.unpriced.first}</th>
            <th scope="col" className={`${HEAD} text-right max-sm:hidden`}>{t.unpriced.last}</th>
            <th scope="col" className={HEAD}><span className="sr-only">{t.unpriced.set}</span></th>
          </tr>
        </thead>
        <tbody>
          {models.map(({ model, attempts, firstSeenAt, lastSeenAt, hasPriceNow }) => (
            <tr key={model} className="border-b border-border/60">
              <td className="max-w-0 px-1.5 py-2.5 sm:w-1/2">
                <span className="flex min-w-0 flex-wrap items-center gap-2">
                  <span className="truncate font-medium" title={model}>{model}</span>
                  <Badge tone={hasPriceNow ? "ok" : "warn"}>{hasPriceNow ? t.unpriced.ready : t.unpriced.missing}</Badge>
                </span>
                <span className="text-xs text-muted-foreground sm:hidden">{format.count(attempts)} · <RelativeTime value={lastSeenAt} /></span>
              </td>
              <td className="px-1.5 text-right tabular-nums max-sm:hidden">{format.count(attempts)}</td>
              <td className="px-1.5 text-right whitespace-nowrap text-muted-foreground max-md:hidden"><RelativeTime value={firstSeenAt} /></td>
              <td className="px-1.5 text-right whitespace-nowrap text-muted-foreground max-sm:hidden"><RelativeTime value={lastSeenAt} /></td>
              <td className="w-28 px-1.5 text-right">
                {hasPriceNow ? (
                  <Button size="small" onClick={() => onReprice(model)}>{t.unpriced.again}</Button>
                ) : (
                  <Button size="small" onClick={() => onSet(model)}>{t.unpriced.set}</Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
