// Where messages go, each with its test button.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { HistoryIcon, SendIcon } from "lucide-react";
import { useState } from "react";

import { type Target, type TestReport, targetsQuery, useDeleteTarget, useSwitchTarget, useTestTarget } from "@/api/notifications";
import { toast } from "@/app/toasts";
import { RowActions } from "@/components/row-actions";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { MenuItem } from "@/components/ui/menu";
import { Switch } from "@/components/ui/switch";
import { useMessages } from "@/lib/i18n";

import { List } from "./list";
import { messages } from "./messages";
import { TargetForm } from "./target-form";

const route = getRouteApi("/app/notifications");

export function Targets({ onAdd }: { onAdd: () => void }) {
  const t = useMessages(messages).target;
  return (
    <div className="px-4 pb-10 md:px-6">
      <List query={useQuery(targetsQuery)} words={t} onAdd={onAdd} row={(target) => <TargetRow key={target.id} target={target} />} />
      <TargetForm />
    </div>
  );
}

function TargetRow({ target }: { target: Target }) {
  const t = useMessages(messages);
  const test = useTestTarget();
  const patch = useSwitchTarget();
  const [report, setReport] = useState<TestReport>();
  const { id, name, isEnabled } = target;
  const turn = (isEnabled: boolean) =>
    patch.mutate(
      { id, isEnabled },
      { onSuccess: () => toast.done(isEnabled ? t.on(name) : t.off(name), () => patch.mutate({ id, isEnabled: !isEnabled }, { onError: toast.failed })), onError: toast.failed },
    );
  const send = () => test.mutate(id, { onSuccess: setReport, onError: toast.failed });
  return (
    <li className="space-y-2 px-4 py-2.5">
      <div className="flex items-center gap-3">
        <div className="min-w-0 flex-1">
          <p className="flex min-w-0 items-center gap-1.5 text-[0.8125rem] leading-5">
            <span className="truncate font-medium">{name}</span>
            <Badge tone="accent">{t.kinds[target.kind]}</Badge>
            {target.secretSet && <Badge tone="outline" className="hidden sm:inline-flex">{t.target.signed}</Badge>}
          </p>
          <p className="truncate text-xs leading-5 text-muted-foreground">
            {[target.address, target.chatId, t.languages[target.language]].filter(Boolean).join(" · ")}
          </p>
        </div>
        <Button size="small" disabled={test.isPending} onClick={send} aria-label={`${t.target.test}: ${name}`}>
          <SendIcon /> <span className="max-sm:sr-only">{test.isPending ? t.target.testing : t.target.test}</span>
        </Button>
        <Switch aria-label={t.enabledOf(name)} checked={isEnabled} onCheckedChange={turn} />
        <TargetActions target={target} />
      </div>
      {report && <Report name={name} report={report} />}
    </li>
  );
}

function Report({ name, report }: { name: string; report: TestReport }) {
  const t = useMessages(messages).target;
  const text = report.error ?? report.excerpt;
  return (
    <div role="status" data-testid="test-report" className="rounded-md bg-muted px-3 py-2 text-xs">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={report.ok ? "ok" : "bad"}>{report.status ?? "–"}</Badge>
        <span className="font-medium">{report.ok ? t.arrived(name, report.totalMs) : t.refused(name)}</span>
      </p>
      {text && <p className="mt-1 font-mono break-all text-muted-foreground">{text}</p>}
    </div>
  );
}

function TargetActions({ target }: { target: Target }) {
  const t = useMessages(messages);
  const navigate = route.useNavigate();
  const { id } = target;
  return (
    <RowActions entry={target} words={{ ...t, removeText: t.target.removeText }} remove={useDeleteTarget()} onEdit={() => void navigate({ search: { edit: id } })}>
      <MenuItem onSelect={() => void navigate({ search: { tab: "deliveries", target: id } })}>
        <HistoryIcon /> {t.target.log}
      </MenuItem>
    </RowActions>
  );
}
