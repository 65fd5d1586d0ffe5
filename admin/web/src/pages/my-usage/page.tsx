// What a key holder wants to know: what is left, what was used, and how to use the key.
import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { ChartNoAxesColumnIcon, ShieldIcon } from "lucide-react";
import { useMemo } from "react";

import { myUsageQuery } from "@/api/me";
import { useSession } from "@/api/session";
import type { UsageSummary } from "@/api/usage";
import { BarChart, ChartSkeleton } from "@/components/chart";
import { useChartData, valueFormat } from "@/components/chart/data";
import { Empty } from "@/components/empty";
import { PageHeader } from "@/components/page-header";
import { QueryFailure } from "@/components/query-failure";
import { RelativeTime } from "@/components/time";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { Segmented } from "@/components/ui/tabs";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { MEASURES, sum } from "@/lib/measure";
import { dayOf, shifted, startOf } from "@/lib/zone";

import { LimitsCard } from "./limits-card";
import { messages } from "./messages";
import { RecentCard } from "./recent-card";
import { SetupCard } from "./setup-card";

const route = getRouteApi("/app/my-usage");
const DAYS = 30;
const CHART_PX = 220;

export function MyUsagePage() {
  const t = useMessages(messages);
  const session = useSession();
  const { all } = route.useSearch();
  const navigate = route.useNavigate();
  const key = session?.me.key;
  const user = session?.me.user;
  const usage = useQuery({ ...myUsageQuery, enabled: Boolean(key) });
  if (session && !key) {
    return (
      <>
        <PageHeader title={t.title} />
        <Empty icon={ShieldIcon} title={t.adminTitle} text={t.adminText}>
          <Button asChild>
            <Link to="/overview">{t.overview}</Link>
          </Button>
        </Empty>
      </>
    );
  }
  const ends = [key?.expiresAt, user?.expiresAt].flatMap((at) => (at ? [at] : [])).toSorted()[0];
  const summary = all ? usage.data?.user : usage.data?.key;
  return (
    <>
      <PageHeader title={t.title} text={<>{t.who(user?.name ?? "", key?.name ?? "")}{ends && <> · {t.expires} <RelativeTime value={ends} /></>}</>}>
        <Segmented
          label={t.scope}
          value={all ? "all" : "key"}
          options={[{ value: "key", label: t.scopes.key }, { value: "all", label: t.scopes.all }]}
          onChange={(next) => void navigate({ search: (before) => ({ ...before, all: next === "all" ? true : undefined }), replace: true, resetScroll: false })}
        />
      </PageHeader>
      <div className="space-y-3 px-4 pb-6 md:px-6">
        {usage.error && !usage.data ? <QueryFailure query={usage} /> : <Sums summary={summary ?? undefined} />}
        <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_24rem]">
          <div className="min-w-0 space-y-3 max-xl:contents">
            <div className="min-w-0 max-xl:order-2"><DaysCard keyId={all ? undefined : key?.id} zone={summary?.timeZone ?? null} /></div>
            <div className="min-w-0 max-xl:order-3"><RecentCard keyId={all ? undefined : key?.id} /></div>
          </div>
          <div className="min-w-0 space-y-3 max-xl:contents">
            <div className="min-w-0 max-xl:order-1"><LimitsCard /></div>
            <div className="min-w-0 max-xl:order-4"><SetupCard /></div>
          </div>
        </div>
      </div>
    </>
  );
}

function Sums({ summary }: { summary: UsageSummary | undefined }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border bg-border xl:grid-cols-4">
      {(["today", "week", "month", "total"] as const).map((span) => {
        const usage = summary?.[span];
        return (
          <div key={span} className="min-w-0 bg-surface px-4 py-3.5">
            <dt className="text-xs text-muted-foreground">{t.spans[span]}</dt>
            <dd>
              {usage ? (
                <>
                  <span className="block pt-1 text-[1.625rem] leading-8 font-semibold tracking-tight tabular-nums">{format.usd(usage.costUsd)}</span>
                  <span className="block pt-1 text-2xs text-pretty text-muted-foreground tabular-nums">
                    {t.requests(format.count(usage.requests))} · {t.tokens(format.compact(usage.totalTokens))}
                  </span>
                </>
              ) : (
                <span aria-busy className="block space-y-2 pt-2">
                  <Skeleton className="h-7 w-24" />
                  <Skeleton className="h-3 w-32" />
                </span>
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function DaysCard({ keyId, zone }: { keyId: number | undefined; zone: string | null }) {
  const t = useMessages(messages);
  const format = useFormat();
  const { measure = "cost" } = route.useSearch();
  const navigate = route.useNavigate();
  const today = dayOf(Date.now(), zone ?? "UTC");
  const span = useMemo(
    () => (zone ? { from: new Date(startOf(shifted(today, 1 - DAYS), zone)).toISOString(), to: new Date(startOf(shifted(today, 1), zone)).toISOString() } : null),
    [today, zone],
  );
  const of = useMemo(() => (keyId ? { keyId } : {}), [keyId]);
  const chart = useChartData({ span, interval: "day", by: "model", measure, of, restLabel: t.rest });
  const isEmpty = !chart.isPending && sum(chart.series.flatMap(({ values }) => values)) === 0;
  return (
    <Card>
      <CardHeader title={t.days}>
        <Segmented
          label={t.measure}
          value={measure}
          options={MEASURES.map((value) => ({ value, label: t.measures[value] }))}
          onChange={(next) => void navigate({ search: (before) => ({ ...before, measure: next === "cost" ? undefined : next }), replace: true, resetScroll: false })}
        />
      </CardHeader>
      {chart.error ? (
        <QueryFailure query={chart} />
      ) : isEmpty ? (
        <Empty icon={ChartNoAxesColumnIcon} title={t.noUsage} text={t.noUsageText} className="py-10" />
      ) : (
        <div className="pt-3 pr-4 pb-3 pl-2">
          {chart.isPending || !zone ? (
            <ChartSkeleton height={CHART_PX} />
          ) : (
            <BarChart
              label={t.chart(t.measures[measure])}
              starts={chart.starts}
              interval="day"
              zone={zone}
              series={chart.series}
              format={valueFormat(measure, format)}
              formatShort={measure === "cost" ? format.usdShort : format.compact}
              height={CHART_PX}
              total={t.total}
            />
          )}
          <ul className="flex flex-wrap gap-x-4 gap-y-1 pt-2 pl-2 text-xs text-muted-foreground">
            {chart.members.map(({ id, label, color }) => (
              <li key={id} className="flex items-center gap-1.5">
                <span aria-hidden className="size-2 rounded-[2px]" style={{ background: `var(--${color})` }} />
                {label}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Card>
  );
}
