// One rule: its place, what it looks for, what follows.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { CopyPlusIcon } from "lucide-react";

import { type ErrorRule, type RuleFault, useDeleteErrorRule, usePatchErrorRule } from "@/api/error-rules";
import { providersQuery } from "@/api/providers";
import { toast } from "@/app/toasts";
import { InlineNumber } from "@/components/inline-number";
import { RowActions } from "@/components/row-actions";
import { Badge, type Tone } from "@/components/ui/badge";
import { MenuItem } from "@/components/ui/menu";
import { Tooltip } from "@/components/ui/popover";
import { Switch } from "@/components/ui/switch";
import { cn } from "@/lib/cn";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

const route = getRouteApi("/app/rules");

/** Bounds of the API. */
const ORDER = { min: -1_000_000, max: 1_000_000 };

const TONES: Record<RuleFault, Tone> = { client: "accent", poison: "accent", key: "warn", model: "neutral", provider: "bad" };

export function FaultBadge({ fault }: { fault: RuleFault }) {
  const t = useMessages(messages);
  const [name, text] = t.faults[fault];
  return (
    <Tooltip content={text}>
      <span tabIndex={0} className="rounded">
        <Badge tone={TONES[fault]}>{name}</Badge>
      </span>
    </Tooltip>
  );
}

export function RuleRow({ rule }: { rule: ErrorRule }) {
  const t = useMessages(messages);
  const patch = usePatchErrorRule();
  const { id, name } = rule;
  const provider = useQuery(providersQuery).data?.find((each) => each.id === rule.providerId)?.name;
  const change = (next: Partial<Pick<ErrorRule, "isEnabled" | "priority">>, words: string) => {
    const back = { isEnabled: rule.isEnabled, priority: rule.priority };
    patch.mutate(
      { id, patch: next },
      { onSuccess: () => toast.done(words, () => patch.mutate({ id, patch: back }, { onError: toast.failed })), onError: toast.failed },
    );
  };
  return (
    <li className="flex items-center gap-2 py-2.5 pr-3 pl-1.5 sm:gap-3">
      <InlineNumber {...ORDER} label={t.priorityOf(name)} value={rule.priority} onChange={(priority) => change({ priority }, t.moved(name, priority))} className="w-12 shrink-0 text-muted-foreground" />
      <div className={cn("grid min-w-0 flex-1 items-center gap-x-4 gap-y-1 @2xl:grid-cols-[minmax(0,5fr)_5.5rem_minmax(0,4fr)]", !rule.isEnabled && "[&_p]:text-muted-foreground [&_code]:text-muted-foreground")}>
        <div className="min-w-0">
          <p className="flex min-w-0 items-center gap-1.5 text-[0.8125rem] leading-5">
            <span className="truncate font-medium">{name}</span>
            {rule.providerId !== null && rule.providerId !== undefined && <Badge tone="outline" className="shrink"><span className="truncate">{t.only(provider ?? String(rule.providerId))}</span></Badge>}
          </p>
          <p className="truncate text-xs leading-5 text-muted-foreground">
            {t.matches[rule.match]} <code className="font-mono text-foreground">{rule.pattern}</code>
          </p>
        </div>
        <span className="hidden @2xl:block"><FaultBadge fault={rule.fault} /></span>
        <Told rule={rule} />
      </div>
      <Switch aria-label={t.enabledOf(name)} checked={rule.isEnabled} onCheckedChange={(isEnabled) => change({ isEnabled }, isEnabled ? t.on(name) : t.off(name))} />
      <RuleActions rule={rule} />
    </li>
  );
}

function Told({ rule }: { rule: ErrorRule }) {
  const t = useMessages(messages);
  const { overrideStatus, overrideMessage } = rule;
  const isKept = !overrideStatus && !overrideMessage;
  return (
    <p className="flex min-w-0 items-center gap-1.5 text-xs text-muted-foreground">
      <span className="@2xl:hidden"><FaultBadge fault={rule.fault} /></span>
      {overrideStatus ? <Badge tone="outline">{overrideStatus}</Badge> : null}
      <span className="truncate" title={overrideMessage ?? undefined}>{isKept ? t.asIs : overrideMessage}</span>
    </p>
  );
}

function RuleActions({ rule }: { rule: ErrorRule }) {
  const t = useMessages(messages);
  const navigate = route.useNavigate();
  const { id } = rule;
  return (
    <RowActions entry={rule} words={t} remove={useDeleteErrorRule()} onEdit={() => void navigate({ search: (before) => ({ ...before, edit: id }) })}>
      <MenuItem onSelect={() => void navigate({ search: (before) => ({ ...before, create: id }) })}>
        <CopyPlusIcon /> {t.clone}
      </MenuItem>
    </RowActions>
  );
}
