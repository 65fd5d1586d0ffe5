// What is told to whom.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { BellIcon, EllipsisIcon, PencilIcon, PlusIcon, Trash2Icon } from "lucide-react";
import { useState } from "react";

import { type Rule, rulesQuery, targetsQuery, useDeleteRule, useSwitchRule } from "@/api/notifications";
import { toast } from "@/app/toasts";
import { Confirm } from "@/components/confirm";
import { Empty } from "@/components/empty";
import { QueryFailure } from "@/components/query-failure";
import { TableSkeleton } from "@/components/table-skeleton";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/menu";
import { Switch } from "@/components/ui/switch";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";
import { RuleForm } from "./rule-form";

const route = getRouteApi("/app/notifications");

export function Rules({ onAdd }: { onAdd: () => void }) {
  const t = useMessages(messages).rule;
  const query = useQuery(rulesQuery);
  return (
    <div className="px-4 pb-10 md:px-6">
      <Card className="overflow-hidden">
        {query.isError ? (
          <QueryFailure query={query} />
        ) : query.isPending ? (
          <TableSkeleton rowHeight={56} rows={4} />
        ) : query.data.length === 0 ? (
          <Empty icon={BellIcon} title={t.emptyTitle} text={t.emptyText}>
            <Button look="primary" onClick={onAdd}>
              <PlusIcon /> {t.add}
            </Button>
          </Empty>
        ) : (
          <ul aria-label={t.table} className="divide-y">
            {query.data.map((rule) => <RuleRow key={rule.id} rule={rule} />)}
          </ul>
        )}
      </Card>
      <RuleForm />
    </div>
  );
}

function RuleRow({ rule }: { rule: Rule }) {
  const t = useMessages(messages);
  const patch = useSwitchRule();
  const targets = useQuery(targetsQuery).data ?? [];
  const { id, name, event } = rule;
  const told = targets.filter((target) => rule.targetIds.includes(target.id)).map((target) => target.name);
  const turn = (isEnabled: boolean) =>
    patch.mutate(
      { id, isEnabled },
      { onSuccess: () => toast.done(isEnabled ? t.on(name) : t.off(name), () => patch.mutate({ id, isEnabled: !isEnabled }, { onError: toast.failed })), onError: toast.failed },
    );
  const threshold = event === "limit-near" ? (rule.thresholdPercent ?? 80) : event === "error-rate-jump" ? (rule.thresholdPercent ?? 20) : undefined;
  const terms = [
    threshold !== undefined && t.rule.from(threshold),
    event === "daily-report" ? t.rule.at(rule.reportTime ?? "09:00") : t.rule.quiet(rule.quietMinutes),
    told.length > 0 ? told.join(", ") : t.rule.nobody,
  ];
  return (
    <li className="flex items-center gap-3 px-4 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="flex min-w-0 items-center gap-1.5 text-[0.8125rem] leading-5">
          <span className="truncate font-medium">{name}</span>
          <Badge tone="accent">{t.events[event]}</Badge>
        </p>
        <p className="truncate text-xs leading-5 text-muted-foreground">{terms.filter(Boolean).join(" · ")}</p>
      </div>
      <Switch aria-label={t.enabledOf(name)} checked={rule.isEnabled} onCheckedChange={turn} />
      <RuleActions rule={rule} />
    </li>
  );
}

function RuleActions({ rule }: { rule: Rule }) {
  const t = useMessages(messages);
  const navigate = route.useNavigate();
  const [isAsking, setIsAsking] = useState(false);
  const remove = useDeleteRule();
  const { id, name } = rule;
  const run = () => remove.mutate(id, { onSuccess: () => toast.done(t.removed(name)), onError: toast.failed, onSettled: () => setIsAsking(false) });
  return (
    <>
      <Menu>
        <MenuTrigger asChild>
          <Button look="ghost" size="icon-small" aria-label={t.actionsOf(name)}>
            <EllipsisIcon />
          </Button>
        </MenuTrigger>
        <MenuContent align="end">
          <MenuItem onSelect={() => void navigate({ search: { tab: "rules", edit: id } })}>
            <PencilIcon /> {t.edit}
          </MenuItem>
          <MenuItem isDanger onSelect={() => setIsAsking(true)}>
            <Trash2Icon /> {t.remove}
          </MenuItem>
        </MenuContent>
      </Menu>
      {isAsking && <Confirm title={t.removeTitle(name)} text={t.rule.removeText} action={t.remove} isPending={remove.isPending} onConfirm={run} onClose={() => setIsAsking(false)} />}
    </>
  );
}
