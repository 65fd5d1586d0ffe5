// The columns of the table of providers, and the card a phone gets in their place.
import type { ColumnDef } from "@tanstack/react-table";
import { KeyRoundIcon } from "lucide-react";
import { useMemo } from "react";

import type { InlinePatch, Provider } from "@/api/providers";
import { InlineNumber } from "@/components/inline-number";
import { ProviderMark } from "@/components/provider-mark";
import { Badge } from "@/components/ui/badge";
import { Tooltip } from "@/components/ui/popover";
import { Switch } from "@/components/ui/switch";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { ProviderActions, useInlineEdit } from "./actions";
import { BreakerBadge } from "./breaker-badge";
import { messages } from "./messages";
import { type ProviderRow, errorShare } from "./rows";

/** Bounds of the API. */
const WEIGHT = { min: 0, max: 100 };
const PRIORITY = { min: -1_000_000, max: 1_000_000 };

export function useColumns(): ColumnDef<ProviderRow>[] {
  const t = useMessages(messages);
  const { columns: c } = t;
  return useMemo<ColumnDef<ProviderRow>[]>(
    () => [
      { id: "name", header: c.name, size: 220, enableSorting: true, cell: ({ row }) => <NameCell provider={row.original.provider} /> },
      { id: "groups", header: c.groups, size: 110, cell: ({ row }) => <Groups provider={row.original.provider} /> },
      { id: "priority", header: c.priority, size: 80, enableSorting: true, meta: { isNumber: true, isFixed: true }, cell: ({ row }) => <NumberCell row={row.original} field="priority" /> },
      { id: "weight", header: c.weight, size: 76, enableSorting: true, meta: { isNumber: true, isFixed: true }, cell: ({ row }) => <NumberCell row={row.original} field="weight" /> },
      { id: "breaker", header: c.breaker, size: 112, enableSorting: true, cell: ({ row }) => <BreakerBadge {...row.original} /> },
      { id: "requests", header: c.requests, size: 104, enableSorting: true, meta: { isNumber: true }, cell: ({ row }) => <Requests row={row.original} /> },
      { id: "errors", header: c.errors, size: 72, enableSorting: true, meta: { isNumber: true }, cell: ({ row }) => <Errors row={row.original} /> },
      { id: "cost", header: c.cost, size: 88, enableSorting: true, meta: { isNumber: true }, cell: ({ row }) => <Cost row={row.original} /> },
      { id: "isEnabled", header: c.isEnabled, size: 60, enableSorting: true, meta: { isFixed: true }, cell: ({ row }) => <EnabledSwitch provider={row.original.provider} /> },
      { id: "actions", header: c.actions, size: 44, meta: { isFixed: true, label: c.actions }, cell: ({ row }) => <ProviderActions provider={row.original.provider} /> },
    ],
    [c],
  );
}

function NameCell({ provider }: { provider: Provider }) {
  const t = useMessages(messages);
  return (
    <div className={cn("flex min-w-0 items-center gap-3", !provider.isEnabled && "opacity-60")}>
      <ProviderMark type={provider.type} />
      <div className="min-w-0">
        <p className="flex items-center gap-1.5 leading-5 font-medium">
          <span className="truncate">{provider.name}</span>
          {!provider.apiKeySet && (
            <Tooltip content={t.noKey}>
              <span tabIndex={0} role="img" aria-label={t.noKey} className="text-bad">
                <KeyRoundIcon aria-hidden className="size-3.5" />
              </span>
            </Tooltip>
          )}
        </p>
        <p className="truncate text-xs leading-4 text-muted-foreground">
          {t.types[provider.type]} · {hostOf(provider.url)}
        </p>
      </div>
    </div>
  );
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url;
}

function Groups({ provider }: { provider: Provider }) {
  const t = useMessages(messages);
  const [first, second, ...more] = provider.groupTags;
  if (first === undefined) return <span className="text-xs text-muted-foreground">{t.defaultGroup}</span>;
  return (
    <span className="flex min-w-0 gap-1" title={provider.groupTags.join(", ")}>
      <Badge className="min-w-0 shrink"><span className="truncate">{first}</span></Badge>
      {second !== undefined && <Badge>{more.length === 0 && second.length < 8 ? second : `+${more.length + 1}`}</Badge>}
    </span>
  );
}

function NumberCell({ row: { provider }, field }: { row: ProviderRow; field: "priority" | "weight" }) {
  const t = useMessages(messages);
  const edit = useInlineEdit();
  const label = field === "priority" ? t.priorityOf(provider.name) : t.weightOf(provider.name);
  const bounds = field === "priority" ? PRIORITY : WEIGHT;
  const patch = (value: number): InlinePatch => (field === "priority" ? { priority: value } : { weight: value });
  return <InlineNumber {...bounds} label={label} value={provider[field]} onChange={(value) => edit(provider, patch(value))} className="-mr-2" />;
}

function EnabledSwitch({ provider }: { provider: Provider }) {
  const t = useMessages(messages);
  const edit = useInlineEdit();
  return <Switch aria-label={t.enabledOf(provider.name)} checked={provider.isEnabled} onCheckedChange={(isEnabled) => edit(provider, { isEnabled })} />;
}

function Requests({ row }: { row: ProviderRow }) {
  const format = useFormat();
  return row.usage ? format.count(row.usage.requests) : <None />;
}

function Errors({ row }: { row: ProviderRow }) {
  const format = useFormat();
  const share = errorShare(row.usage);
  if (share === undefined) return <None />;
  return <span className={share >= 0.05 ? "text-bad" : undefined}>{format.percent(share)}</span>;
}

function Cost({ row }: { row: ProviderRow }) {
  const format = useFormat();
  return row.usage ? format.usd(row.usage.costUsd) : <None />;
}

function None() {
  return <span className="text-muted-foreground">–</span>;
}

export const CARD_HEIGHT = 96;

export function ProviderCard({ row }: { row: ProviderRow }) {
  const format = useFormat();
  const t = useMessages(messages);
  const { provider, breakers, usage } = row;
  return (
    <div className="space-y-2">
      <div className="flex items-center gap-3">
        <div className="min-w-0 flex-1">
          <NameCell provider={provider} />
        </div>
        <EnabledSwitch provider={provider} />
        <ProviderActions provider={provider} />
      </div>
      <div className="flex items-center gap-3 pl-11 text-xs text-muted-foreground tabular-nums">
        <BreakerBadge provider={provider} breakers={breakers} />
        <span title={t.columns.priority}>{t.short.priority} {provider.priority}</span>
        <span title={t.columns.weight}>{t.short.weight} {provider.weight}</span>
        {usage && <span className="ml-auto">{format.usd(usage.costUsd)}</span>}
      </div>
    </div>
  );
}
