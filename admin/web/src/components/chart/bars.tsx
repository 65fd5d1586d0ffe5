// Stacked bars over time, drawn by uPlot on a canvas. Loaded only where a chart is.
import "uplot/dist/uPlot.min.css";

import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";

import { useLanguage } from "@/lib/i18n";

import { colorOf, useIsDark } from "./colors";
import { type Series, everyNth, stack } from "./stack";
import { ChartTip } from "./tip";
import { pointLabel, tickLabel } from "./time-labels";

export interface BarsProps {
  /** What the chart shows, for those who cannot see it. */
  label: string;
  /** When each bar begins. */
  starts: readonly string[];
  interval: "hour" | "day";
  zone: string;
  series: readonly Series[];
  hidden?: ReadonlySet<string>;
  /** Of a value in full. */
  format: (value: number) => string;
  /** Of a value on the axis. */
  formatShort: (value: number) => string;
  height: number;
  total: string;
}

interface Place {
  index: number;
  left: number;
  width: number;
}

const NONE: ReadonlySet<string> = new Set();
const LABEL_PX = 64;

export default function Bars(props: BarsProps) {
  const { label, starts, interval, zone, series, hidden = NONE, format, formatShort, height, total } = props;
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const language = useLanguage();
  const isDark = useIsDark();
  const [place, setPlace] = useState<Place | null>(null);
  const tops = useMemo(() => stack(series, hidden, starts.length), [series, hidden, starts.length]);

  useEffect(() => {
    const target = frame.current;
    if (!target) return;
    const options: uPlot.Options = {
      width: target.clientWidth,
      height,
      legend: { show: false },
      padding: [8, 0, 0, 0],
      cursor: { x: false, y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: () => [-0.5, starts.length - 0.5] },
        y: { range: (_chart, _min, max) => [0, max > 0 ? max * 1.04 : 1] },
      },
      axes: [
        {
          ...axisLook(),
          grid: { show: false },
          size: 28,
          splits: (u) => splits(starts, interval, zone, Math.max(2, Math.floor(u.width / LABEL_PX))),
          values: (_u, at) => at.map((index) => tickLabel(starts[index], interval, starts.length, zone, language)),
        },
        { ...axisLook(), size: 54, values: (_u, at) => at.map((value) => (value === 0 ? "" : formatShort(value))), space: 36 },
      ],
      series: [
        {},
        ...series
          .map((each) => ({
            fill: colorOf(each.color),
            width: 0,
            points: { show: false },
            paths: uPlot.paths.bars?.({ size: [starts.length > 60 ? 0.86 : 0.72, 44], align: 0 }),
          }))
          .reverse(),
      ],
      hooks: {
        setCursor: [(u) => setPlace(placeOf(u, u.cursor.idx ?? null, starts.length))],
      },
    };
    const data = [starts.map((_, index) => index), ...tops.toReversed()] as uPlot.AlignedData;
    const plot = new uPlot(options, data, target);
    chart.current = plot;
    const observer = new ResizeObserver(() => plot.setSize({ width: target.clientWidth, height }));
    observer.observe(target);
    return () => {
      observer.disconnect();
      plot.destroy();
      setPlace(null);
    };
  }, [tops, starts, interval, zone, series, height, formatShort, language, isDark]);

  const walk = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0 || !chart.current) return;
    event.preventDefault();
    const index = Math.min(starts.length - 1, Math.max(0, (place?.index ?? (step > 0 ? -1 : starts.length)) + step));
    setPlace(placeOf(chart.current, index, starts.length));
  };
  const shown = series.filter((each) => !hidden.has(each.id));
  return (
    <div role="img" aria-label={label} tabIndex={0} onKeyDown={walk} onBlur={() => setPlace(null)} className="relative rounded-md" style={{ height }}>
      <div ref={frame} className="absolute inset-0 overflow-hidden" />
      {place && (
        <>
          <div className="pointer-events-none absolute top-2 bottom-7 rounded-sm bg-foreground/6" style={{ left: place.left, width: place.width }} />
          <ChartTip
            left={place.left + place.width / 2}
            title={pointLabel(starts[place.index], interval, zone, language)}
            rows={shown.map((each) => ({ ...each, value: each.values[place.index] ?? 0 }))}
            format={format}
            total={total}
          />
        </>
      )}
    </div>
  );
}

function placeOf(plot: uPlot, index: number | null, length: number): Place | null {
  if (index === null || index < 0 || index >= length) return null;
  const left = plot.valToPos(index - 0.5, "x") + plot.bbox.left / devicePixelRatio;
  return { index, left, width: plot.bbox.width / devicePixelRatio / length };
}

function axisLook(): Partial<uPlot.Axis> {
  return {
    stroke: colorOf("muted-foreground"),
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    grid: { stroke: colorOf("border"), width: 1 },
    ticks: { show: false },
    border: { show: false },
    gap: 8,
  };
}

/** Where labels stand: at the beginning of days when there are several days of hours. */
function splits(starts: readonly string[], interval: "hour" | "day", zone: string, room: number): number[] {
  const every = everyNth(starts.length, room);
  if (interval === "hour" && starts.length > 48) {
    const days = starts.flatMap((start, index) => (pointHour(start, zone) === 0 ? [index] : []));
    const step = Math.ceil(days.length / room);
    return days.filter((_, at) => at % step === 0);
  }
  return starts.flatMap((_, index) => (index % every === 0 ? [index] : []));
}

function pointHour(start: string, zone: string): number {
  return Number(new Intl.DateTimeFormat("en-GB", { hour: "2-digit", hourCycle: "h23", timeZone: zone }).format(new Date(start)));
}
