// The overview: how today goes, what was used by whom, what needs somebody. Everything but the last minutes comes from the hourly sums.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { ServerIcon } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef } from "react";

import { useLive } from "@/api/live";
import { breakersQuery, providersQuery } from "@/api/providers";
import { recentRequestsQuery } from "@/api/requests";
import { useGatewayZone } from "@/api/session";
import { pulseQuery, topUsageQuery } from "@/api/usage";
import { Empty } from "@/components/empty";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { useLanguage, useMessages } from "@/lib/i18n";
import { dayOf, startOf } from "@/lib/zone";

import { AttentionCard } from "./attention-card";
import { messages } from "./messages";
import { ProvidersCard } from "./providers-card";
import { pulseOf } from "./pulse";
import { overview } from "./route";
import { NEWEST, NowStrip, TodayTiles } from "./tiles";
import { UsageCard } from "./usage-card";
import { useMatters } from "./use-matters";

const route = getRouteApi("/app/overview");

export function OverviewPage() {
  const t = useMessages(messages);
  const language = useLanguage();
  const search = route.useSearch();
  const hours = useQuery(pulseQuery());
  const zone = useGatewayZone();
  const today = dayOf(Date.now(), zone);
  const span = useMemo(() => ({ from: new Date(startOf(today, zone)).toISOString() }), [zone, today]);
  const live = useLive(useRefresh());
  const pulse = useMemo(() => hours.data && pulseOf(hours.data, Date.now()), [hours.data]);
  const recent = useQuery(recentRequestsQuery(NEWEST)).data;
  const providers = useQuery(providersQuery).data;
  const breakers = useQuery(breakersQuery).data ?? [];
  const byProvider = useQuery(topUsageQuery("provider", { ...span, limit: 100 })).data ?? [];
  const matters = useMatters();
  if (hours.error && !hours.data) return <QueryFailure query={hours} />;
  return (
    <>
      <PageHeader title={overview.title[language]} text={t.zone(zone)} />
      <div className="space-y-3 px-4 pb-6 md:px-6">
        <TodayTiles pulse={pulse} />
        <NowStrip list={recent} live={live} />
        {providers?.length === 0 ? (
          <Card>
            <Empty icon={ServerIcon} title={t.noProviders} text={t.noProvidersText}>
              <Button asChild look="primary">
                <Link to="/providers" search={{ create: true }}>{t.addProvider}</Link>
              </Button>
              <Button asChild>
                <Link to="/usage-doc">{t.guide}</Link>
              </Button>
            </Empty>
          </Card>
        ) : (
          <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_22rem]">
            <UsageCard search={search} zone={zone} />
            <div className="grid gap-3 md:max-xl:grid-cols-2 md:max-xl:items-start">
              <AttentionCard matters={matters} />
              <ProvidersCard providers={providers} breakers={breakers} today={byProvider} />
            </div>
          </div>
        )}
      </div>
    </>
  );
}

/** A request that is over is in the log and in the sums within a second. */
const WRITTEN_MS = 1200;

/** Reads anew what requests that ended have changed; once for all that end within a moment. */
function useRefresh(): () => void {
  const queries = useQueryClient();
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return useCallback(() => {
    if (timer.current !== undefined) return;
    timer.current = window.setTimeout(() => {
      timer.current = undefined;
      void queries.invalidateQueries({ queryKey: recentRequestsQuery(NEWEST).queryKey });
      void queries.invalidateQueries({ queryKey: pulseQuery().queryKey });
    }, WRITTEN_MS);
  }, [queries]);
}
