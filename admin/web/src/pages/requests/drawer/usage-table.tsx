// What was used, bucket by bucket, and what each cost.
import { useQuery } from "@tanstack/react-query";

import { type Price, priceQuery } from "@/api/prices";
import type { RequestDetail } from "@/api/requests";
import { useIsAdmin } from "@/api/session";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { drawerMessages } from "./messages";

type Bucket = "inputTokens" | "cacheReadTokens" | "cacheWrite5mTokens" | "cacheWrite1hTokens" | "outputTokens" | "reasoningTokens";

const BUCKETS: readonly (readonly [Bucket, (price: Price) => string | undefined])[] = [
  ["inputTokens", (price) => price.inputPerMillionUsd],
  ["cacheReadTokens", (price) => price.cacheReadPerMillionUsd],
  ["cacheWrite5mTokens", (price) => price.cacheWrite5mPerMillionUsd],
  ["cacheWrite1hTokens", (price) => price.cacheWrite1hPerMillionUsd],
  ["outputTokens", (price) => price.outputPerMillionUsd],
  ["reasoningTokens", () => undefined],
];

/** The factors of the attempt that answered. */
function multiplierOf(request: RequestDetail): number {
  const answered = request.chain.findLast((attempt) => attempt.outcome === "completed") ?? request.chain.at(-1);
  return Number(answered?.providerMultiplier ?? 1) * Number(answered?.groupMultiplier ?? 1);
}

export function UsageTable({ request }: { request: RequestDetail }) {
  const t = useMessages(drawerMessages);
  const format = useFormat();
  const isAdmin = useIsAdmin();
  const model = request.model ?? request.requestedModel;
  const price = useQuery({ ...priceQuery(model ?? ""), enabled: isAdmin && Boolean(model && request.costUsd) }).data;
  const used = BUCKETS.filter(([bucket]) => request.usage[bucket] > 0);
  const settled = t.settled[request.settledFrom as keyof typeof t.settled] ?? request.settledFrom;
  if (used.length === 0) return <p className="text-[0.8125rem] text-muted-foreground">{settled}</p>;
  const multiplier = multiplierOf(request);
  return (
    <>
      <table className="w-full text-[0.8125rem] tabular-nums">
        <thead className="text-xs text-muted-foreground">
          <tr className="[&>th]:pb-1.5 [&>th]:font-normal">
            <th scope="col" className="text-left">{t.bucket}</th>
            <th scope="col" className="text-right">{t.tokens}</th>
            {price && <th scope="col" className="text-right">{t.price}</th>}
            {price && <th scope="col" className="text-right">{t.amount}</th>}
          </tr>
        </thead>
        <tbody className="divide-y border-y">
          {used.map(([bucket, priceOf]) => {
            const each = price ? priceOf(price) : undefined;
            const tokens = request.usage[bucket];
            return (
              <tr key={bucket} className={cn("[&>*]:py-1.5", bucket === "reasoningTokens" && "text-muted-foreground")}>
                <th scope="row" className={cn("text-left font-normal", bucket === "reasoningTokens" && "pl-4")}>{t.buckets[bucket]}</th>
                <td className="text-right">{format.count(tokens)}</td>
                {price && <td className="text-right text-muted-foreground">{each ?? ""}</td>}
                {price && <td className="text-right">{each !== undefined && format.usdFine((tokens * Number(each)) / 1e6)}</td>}
              </tr>
            );
          })}
        </tbody>
        <tfoot>
          {price && multiplier !== 1 && (
            <tr>
              <td colSpan={4} className="pt-1.5 text-right text-muted-foreground">{t.multiplier(String(multiplier))}</td>
            </tr>
          )}
          {request.costUsd && (
            <tr className="font-medium">
              <th scope="row" className="pt-1.5 text-left font-medium">{t.total}</th>
              <td colSpan={3} className="pt-1.5 text-right">{format.usdFine(request.costUsd)}</td>
            </tr>
          )}
        </tfoot>
      </table>
      <p className="mt-1.5 text-xs text-pretty text-muted-foreground">
        {settled}. {price ? t.priceNote : !request.costUsd && t.unpriced}
      </p>
    </>
  );
}
