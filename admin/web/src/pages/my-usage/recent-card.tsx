// The caller's latest requests.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ScrollTextIcon } from "lucide-react";

import { latestRequestsQuery } from "@/api/requests";
import { useSession } from "@/api/session";
import { Empty } from "@/components/empty";
import { QueryFailure } from "@/components/query-failure";
import { ClockTime } from "@/components/time";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

const SHOWN = 8;

export function RecentCard({ keyId }: { keyId: number | undefined }) {
  const t = useMessages(messages);
  const format = useFormat();
  // The log is not for those who may only read about themselves.
  const mayOpen = useSession()?.role !== "read-only";
  const latest = useQuery({ ...latestRequestsQuery({ keyId, limit: SHOWN }), enabled: mayOpen });
  if (!mayOpen) return null;
  return (
    <Card>
      <CardHeader title={t.recent}>
        <Button asChild look="ghost" size="small">
          <Link to="/requests" search={keyId ? { key: keyId } : {}}>{t.allRequests}</Link>
        </Button>
      </CardHeader>
      {latest.error && !latest.data ? (
        <QueryFailure query={latest} />
      ) : !latest.data ? (
        <div aria-busy className="space-y-3 p-4">
          {Array.from({ length: SHOWN }, (_, index) => (
            <Skeleton key={index} />
          ))}
        </div>
      ) : latest.data.items.length === 0 ? (
        <Empty icon={ScrollTextIcon} title={t.noRequests} text={t.noUsageText} className="py-10" />
      ) : (
        <table className="w-full text-[0.8125rem]">
          <thead className="sr-only">
            <tr>
              {[t.time, t.model, t.status, t.tokensHead, t.duration, t.cost].map((head) => (
                <th key={head} scope="col">{head}</th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-border/60">
            {latest.data.items.map((row) => {
              const { usage } = row;
              const tokens = usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens + usage.outputTokens;
              return (
                <tr key={row.id} className="hover:bg-hover">
                  <td className="py-2 pl-4 text-xs whitespace-nowrap text-muted-foreground"><ClockTime value={row.createdAt} /></td>
                  <td className="w-full max-w-0 px-3">
                    <Link to="/requests" search={{ request: row.id }} className="block truncate rounded hover:underline">{row.model ?? row.requestedModel ?? row.endpoint}</Link>
                  </td>
                  <td className="px-2"><Badge tone={row.status < 400 ? "ok" : row.status === 499 ? "neutral" : "bad"}>{row.status}</Badge></td>
                  <td className="px-2 text-right whitespace-nowrap text-muted-foreground tabular-nums max-sm:hidden">{tokens > 0 ? format.compact(tokens) : "—"}</td>
                  <td className="px-2 text-right whitespace-nowrap text-muted-foreground tabular-nums max-sm:hidden">{format.ms(row.durationMs)}</td>
                  <td className="py-2 pr-4 pl-2 text-right whitespace-nowrap tabular-nums">{row.costUsd ? format.usd(row.costUsd) : "—"}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Card>
  );
}
