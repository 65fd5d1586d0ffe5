// Which days: a few usual spans, or from one day to another.
import { Input } from "@/components/ui/input";
import { Segmented } from "@/components/ui/tabs";
import { cn } from "@/lib/cn";
import { defineMessages, useMessages } from "@/lib/i18n";
import { isDay } from "@/lib/zone";

const messages = defineMessages({
  en: { span: "Span", from: "First day", to: "Last day", between: "to" },
  zh: { span: "时间范围", from: "第一天", to: "最后一天", between: "至" },
});

interface Props<T extends string> {
  value: T;
  options: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
  /** The days of the span `custom`. */
  days: { from: string; to: string } | null;
  onDays: (days: { from: string; to: string }) => void;
  /** The last day one may choose. */
  max: string;
  className?: string;
}

export function SpanPicker<T extends string>({ value, options, onChange, days, onDays, max, className }: Props<T>) {
  const t = useMessages(messages);
  const change = (part: Partial<{ from: string; to: string }>) => {
    if (!days) return;
    const next = { ...days, ...part };
    if (isDay(next.from) && isDay(next.to)) onDays(next.from <= next.to ? next : part.from ? { from: next.from, to: next.from } : { from: next.to, to: next.to });
  };
  return (
    <div className={cn("flex flex-wrap items-center gap-2", className)}>
      <Segmented label={t.span} value={value} options={options} onChange={onChange} />
      {days && (
        <span className="flex items-center gap-1.5 text-xs text-muted-foreground">
          <Input type="date" aria-label={t.from} value={days.from} max={max} onChange={(event) => change({ from: event.target.value })} className="h-7.5 w-36 px-2 text-xs tabular-nums" />
          {t.between}
          <Input type="date" aria-label={t.to} value={days.to} max={max} onChange={(event) => change({ to: event.target.value })} className="h-7.5 w-36 px-2 text-xs tabular-nums" />
        </span>
      )}
    </div>
  );
}
