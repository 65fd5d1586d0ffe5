// The columns of the price list.
import type { ColumnDef } from "@tanstack/react-table";

import type { Price, PriceSource } from "@/api/prices";
import { ClockTime } from "@/components/time";
import { Badge, type Tone } from "@/components/ui/badge";
import { cn } from "@/lib/cn";
import { useMessages } from "@/lib/i18n";

import { type Figure, dollars } from "./figures";
import { messages } from "./messages";

const TONES: Record<PriceSource, Tone> = { manual: "accent", synced: "outline", builtin: "neutral" };

export function SourceBadge({ source }: { source: PriceSource }) {
  const t = useMessages(messages);
  return <Badge tone={TONES[source]}>{t.sources[source]}</Badge>;
}

type Words = ReturnType<typeof useMessages<(typeof messages)["en"]>>;
const SHOWN: readonly [Figure, number][] = [
  ["inputPerMillionUsd", 92],
  ["outputPerMillionUsd", 92],
  ["cacheReadPerMillionUsd", 96],
  ["cacheWrite5mPerMillionUsd", 114],
  ["cacheWrite1hPerMillionUsd", 114],
];

export function columnsOf(t: Words): ColumnDef<Price>[] {
  return [
    {
      id: "model",
      size: 290,
      header: t.model,
      cell: ({ row: { original } }) => (
        <span className="flex min-w-0 items-center gap-2">
          <span className="truncate font-medium" title={original.model}>{original.model}</span>
          {original.tiers.length > 0 && <Badge tone="outline">{t.tiers(original.tiers.length)}</Badge>}
        </span>
      ),
    },
    ...SHOWN.map(([figure, size]): ColumnDef<Price> => ({ id: figure, size, header: t.figures[figure], meta: { isNumber: true }, cell: ({ row }) => <FigureCell price={row.original} figure={figure} /> })),
    { id: "source", size: 104, header: () => <span className="pl-4">{t.source}</span>, cell: ({ row }) => <span className="pl-4"><SourceBadge source={row.original.source} /></span> },
    {
      id: "since",
      size: 88,
      header: t.since,
      cell: ({ row: { original } }) => <span className="truncate text-xs text-muted-foreground">{original.effectiveAt ? <ClockTime value={original.effectiveAt} /> : t.always}</span>,
    },
  ];
}

/** Models that are not sold by the token show what they are sold by. */
function FigureCell({ price, figure }: { price: Price; figure: Figure }) {
  const t = useMessages(messages);
  const value = price[figure];
  const instead: readonly [string | undefined, string] | null =
    value !== undefined ? null
    : figure === "outputPerMillionUsd" ? [price.perImageUsd, t.perImage]
    : figure !== "inputPerMillionUsd" ? null
    : price.perRequestUsd !== undefined ? [price.perRequestUsd, t.perRequest] : [price.perInputImageUsd, t.perImage];
  if (!instead?.[0]) return <Dollars value={value} />;
  return (
    <span className="whitespace-nowrap">
      <Dollars value={instead[0]} /> <span className="text-2xs text-muted-foreground">{instead[1]}</span>
    </span>
  );
}

export function Dollars({ value, className }: { value: string | undefined; className?: string }) {
  return <span className={cn("tabular-nums", value === undefined && "text-muted-foreground", className)}>{dollars(value)}</span>;
}

export function PriceCard({ price }: { price: Price }) {
  const t = useMessages(messages);
  const pairs = [["inputPerMillionUsd", price.inputPerMillionUsd], ["outputPerMillionUsd", price.outputPerMillionUsd], ["cacheReadPerMillionUsd", price.cacheReadPerMillionUsd]] as const;
  return (
    <div className="space-y-1">
      <div className="flex items-center gap-2">
        <span className="min-w-0 flex-1 truncate font-medium">{price.model}</span>
        <SourceBadge source={price.source} />
      </div>
      <div className="flex gap-4 text-xs text-muted-foreground">
        {pairs.map(([name, value]) => (
          <span key={name} className="whitespace-nowrap">
            {t.figures[name]} <Dollars value={value} className="text-foreground" />
          </span>
        ))}
      </div>
    </div>
  );
}
