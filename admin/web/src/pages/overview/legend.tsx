// The chart's table: a colour, a name, its figures.
import { Link } from "@tanstack/react-router";

import { type Span, type UsageDimension } from "@/api/usage";
import { type ChartData, type Member, valueFormat } from "@/components/chart/data";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";
import { type Measure, errorShare, sum } from "@/lib/measure";
import { dimensionWords, requestsOf } from "@/lib/share-names";

import { messages } from "./messages";

interface Props {
  data: ChartData;
  hidden: ReadonlySet<string>;
  onToggle: (id: string) => void;
  span: Span | null;
  by: UsageDimension;
  measure: Measure;
}

const CELL = "py-1.5 pl-3 text-right tabular-nums whitespace-nowrap";

export function Legend({ data, hidden, onToggle, span, by, measure }: Props) {
  const t = useMessages(messages);
  const words = useMessages(dimensionWords);
  const total = sum(data.series.flatMap(({ values }) => values));
  const format = useFormat();
  const short = valueFormat(measure, format);
  if (data.isPending) {
    return (
      <div aria-busy className="space-y-3 px-4 py-3">
        {Array.from({ length: 6 }, (_, index) => (
          <Skeleton key={index} />
        ))}
      </div>
    );
  }
  return (
    <div className="overflow-x-auto px-4 pt-1 pb-3">
      <table className="w-full text-[0.8125rem]">
        <thead className="text-2xs text-muted-foreground">
          <tr>
            <th scope="col" className="py-1 text-left font-normal">{words.names[by]}</th>
            <th scope="col" className={cn(CELL, "py-1 font-normal")}>{t.share}</th>
            <th scope="col" className={cn(CELL, "py-1 font-normal", measure === "cost" && "text-foreground")}>{t.measures.cost}</th>
            <th scope="col" className={cn(CELL, "py-1 font-normal max-sm:hidden", measure === "requests" && "text-foreground max-sm:table-cell")}>{t.measures.requests}</th>
            <th scope="col" className={cn(CELL, "py-1 font-normal max-md:hidden")}>{t.errors}</th>
            <th scope="col" className={cn(CELL, "py-1 font-normal max-md:hidden", measure === "tokens" && "text-foreground max-md:table-cell")}>{t.measures.tokens}</th>
          </tr>
        </thead>
        <tbody>
          {data.members.map((member) => {
            const values = data.series.find(({ id }) => id === member.id)?.values ?? [];
            const value = sum(values);
            const { usage } = member;
            const errors = usage && errorShare(usage);
            const isHidden = hidden.has(member.id);
            return (
              <tr key={member.id} className={cn("border-t border-border/60", isHidden && "text-muted-foreground")}>
                <td className="w-full max-w-0 py-1">
                  <span className="flex min-w-0 items-center gap-1.5">
                    <button
                      type="button"
                      aria-pressed={!isHidden}
                      aria-label={isHidden ? t.show(member.label) : t.hide(member.label)}
                      onClick={() => onToggle(member.id)}
                      className="-m-1.5 rounded p-1.5 hover:bg-hover"
                    >
                      <span className={cn("block size-2.5 rounded-[3px] border-2", isHidden && "bg-transparent!")} style={{ background: `var(--${member.color})`, borderColor: `var(--${member.color})` }} />
                    </button>
                    <MemberName member={member} by={by} span={span} />
                  </span>
                </td>
                <td className={CELL}>
                  <span className="flex items-center justify-end gap-2">
                    <span aria-hidden className="block h-1 w-16 overflow-hidden rounded-full bg-muted max-sm:hidden">
                      <span className="block h-full rounded-full" style={{ width: `${total > 0 ? (value / total) * 100 : 0}%`, background: `var(--${member.color})` }} />
                    </span>
                    <span className="w-11 text-muted-foreground">{total > 0 ? format.percent(value / total) : "—"}</span>
                  </span>
                </td>
                <td className={CELL}>{usage ? format.usd(usage.costUsd) : measure === "cost" ? short(value) : "—"}</td>
                <td className={cn(CELL, "max-sm:hidden", measure === "requests" && "max-sm:table-cell")}>{usage ? format.count(usage.requests) : measure === "requests" ? short(value) : "—"}</td>
                <td className={cn(CELL, "max-md:hidden", errors !== null && errors > 0.05 ? "text-bad" : "text-muted-foreground")}>{errors === null ? "—" : format.percent(errors)}</td>
                <td className={cn(CELL, "max-md:hidden", measure === "tokens" && "max-md:table-cell")}>{usage ? format.compact(usage.totalTokens) : measure === "tokens" ? short(value) : "—"}</td>
              </tr>
            );
          })}
        </tbody>
        <tfoot>
          <tr className="border-t font-medium">
            <th scope="row" className="py-1.5 text-left font-medium">{t.total}</th>
            <td />
            <td className={CELL}>{format.usd(data.total.cost)}</td>
            <td className={cn(CELL, "max-sm:hidden", measure === "requests" && "max-sm:table-cell")}>{format.count(data.total.requests)}</td>
            <td className={cn(CELL, "max-md:hidden")}>{data.total.requests > 0 ? format.percent(data.total.failures / data.total.requests) : "—"}</td>
            <td className={cn(CELL, "max-md:hidden", measure === "tokens" && "max-md:table-cell")}>{format.compact(data.total.tokens)}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

/** Leads to the requests behind it, where the log can be filtered so. */
function MemberName({ member, by, span }: { member: Member; by: UsageDimension; span: Span | null }) {
  const search = member.share && requestsOf(by, member.share);
  if (!search || !span) return <span className="truncate">{member.label}</span>;
  return (
    <Link to="/requests" search={{ ...search, ...span }} className="truncate rounded hover:underline" title={member.label}>
      {member.label}
    </Link>
  );
}
