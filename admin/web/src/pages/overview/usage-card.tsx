// What was used over time, by whom: the chart and its table, whose rows switch the chart's colours on and off.
import { Link, useNavigate } from "@tanstack/react-router";
import { ChartNoAxesColumnIcon } from "lucide-react";
import { useMemo, useState } from "react";

import { DIMENSIONS } from "@/api/usage";
import { useShortcuts } from "@/app/shortcuts";
import { BarChart, ChartSkeleton } from "@/components/chart";
import { useChartData, valueFormat } from "@/components/chart/data";
import { Empty } from "@/components/empty";
import { QueryFailure } from "@/components/query-failure";
import { SpanPicker } from "@/components/span-picker";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Select } from "@/components/ui/input";
import { Segmented } from "@/components/ui/tabs";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { MEASURES, sum } from "@/lib/measure";
import { dimensionWords } from "@/lib/share-names";
import { dayOf, shifted, startOf } from "@/lib/zone";

import { Legend } from "./legend";
import { messages } from "./messages";
import { type OverviewSearch, SPANS, type SpanName, daysOf, intervalOf } from "./search";

const CHART_PX = 264;

interface Props {
  search: OverviewSearch;
  /** By which days are counted. */
  zone: string;
}

export function UsageCard({ search, zone }: Props) {
  const t = useMessages(messages);
  const words = useMessages(dimensionWords);
  const format = useFormat();
  const navigate = useNavigate();
  const { by = "user", measure = "cost", span = "today" } = search;
  const today = dayOf(Date.now(), zone);
  const days = daysOf(search, today);
  const interval = intervalOf(days);
  const asked = useMemo(
    () => ({ from: new Date(startOf(days.from, zone)).toISOString(), to: new Date(startOf(shifted(days.to, 1), zone)).toISOString() }),
    [days.from, days.to, zone],
  );
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const chart = useChartData({ span: asked, interval, by, measure, restLabel: t.rest });
  const go = (part: OverviewSearch) => void navigate({ to: "/overview", search: { ...search, ...part }, replace: true, resetScroll: false });
  const choose = (next: SpanName) => go(next === "custom" ? { span: next, from: shifted(today, -13), to: today } : { span: next === "today" ? undefined : next, from: undefined, to: undefined });
  useShortcuts([
    { keys: "1", text: t.shortcuts.today, run: () => choose("today") },
    { keys: "2", text: t.shortcuts.week, run: () => choose("7d") },
    { keys: "3", text: t.shortcuts.month, run: () => choose("30d") },
  ]);
  const toggle = (id: string) =>
    setHidden((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const full = valueFormat(measure, format);
  const isEmpty = !chart.isPending && sum(chart.series.flatMap(({ values }) => values)) === 0;
  return (
    <Card className="flex flex-col">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b px-4 py-2.5">
        <h2 className="sr-only">{t.usage}</h2>
        <Segmented label={t.measure} value={measure} options={MEASURES.map((value) => ({ value, label: t.measures[value] }))} onChange={(next) => go({ measure: next === "cost" ? undefined : next })} />
        <Select aria-label={words.by} value={by} onChange={(event) => go({ by: DIMENSIONS.find((each) => each === event.target.value) })} className="w-32">
          {DIMENSIONS.map((each) => (
            <option key={each} value={each}>
              {words.plural[each]}
            </option>
          ))}
        </Select>
        <SpanPicker
          className="ml-auto"
          value={span}
          options={SPANS.map((value) => ({ value, label: t.spans[value] }))}
          onChange={choose}
          days={span === "custom" ? days : null}
          onDays={(next) => go({ span: "custom", ...next })}
          max={today}
        />
      </header>
      {chart.error ? (
        <QueryFailure query={chart} />
      ) : isEmpty ? (
        <Empty icon={ChartNoAxesColumnIcon} title={t.noUsage} text={t.noUsageText} className="flex-1">
          <Button asChild>
            <Link to="/usage-doc">{t.guide}</Link>
          </Button>
        </Empty>
      ) : (
        <>
          <div className="px-2 pt-3 pr-4">
            {chart.isPending ? (
              <ChartSkeleton height={CHART_PX} />
            ) : (
              <BarChart
                label={t.chart(t.measures[measure], words.names[by])}
                starts={chart.starts}
                interval={interval}
                zone={zone}
                series={chart.series}
                hidden={hidden}
                format={full}
                formatShort={measure === "cost" ? format.usdShort : format.compact}
                height={CHART_PX}
                total={t.total}
              />
            )}
          </div>
          <Legend data={chart} hidden={hidden} onToggle={toggle} span={asked} by={by} measure={measure} />
        </>
      )}
    </Card>
  );
}
