// What is told to whom.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { type Rule, rulesQuery, targetsQuery, useDeleteRule, useSwitchRule } from "@/api/notifications";
import { toast } from "@/app/toasts";
import { RowActions } from "@/components/row-actions";
import { Badge } from "@/components/ui/badge";
import { Switch } from "@/components/ui/switch";
import { useMessages } from "@/lib/i18n";

import { List } from "./list";
import { messages } from "./messages";
import { RuleForm } from "./rule-form";

const route = getRouteApi("/app/notifications");

export function Rules({ onAdd }: { onAdd: () => void }) {
  const t = useMessages(messages).rule;
  return (
    <div className="px-4 pb-10 md:px-6">
      <List query={useQuery(rulesQuery)} words={t} onAdd={onAdd} row={(rule) => <RuleRow key={rule.id} rule={rule} />} />
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
  const { id } = rule;
  const words = { ...t, removeText: t.rule.removeText };
  return <RowActions entry={rule} words={words} remove={useDeleteRule()} onEdit={() => void navigate({ search: { tab: "rules", edit: id } })} />;
}
