// Where messages go, each with its test button.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { BellIcon, EllipsisIcon, HistoryIcon, PencilIcon, PlusIcon, SendIcon, Trash2Icon } from "lucide-react";
import { useState } from "react";

import { type Target, type TestReport, targetsQuery, useDeleteTarget, useSwitchTarget, useTestTarget } from "@/api/notifications";
import { toast } from "@/app/toasts";
import { Confirm } from "@/components/confirm";
import { Empty } from "@/components/empty";
import { QueryFailure } from "@/components/query-failure";
import { TableSkeleton } from "@/components/table-skeleton";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import { Switch } from "@/components/ui/switch";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";
import { TargetForm } from "./target-form";

const route = getRouteApi("/app/notifications");

export function Targets({ onAdd }: { onAdd: () => void }) {
  const t = useMessages(messages).target;
  const query = useQuery(targetsQuery);
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
            {query.data.map((target) => <TargetRow key={target.id} target={target} />)}
          </ul>
        )}
      </Card>
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
  const [isAsking, setIsAsking] = useState(false);
  const remove = useDeleteTarget();
  const { id, name } = target;
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
          <MenuItem onSelect={() => void navigate({ search: { edit: id } })}>
            <PencilIcon /> {t.edit}
          </MenuItem>
          <MenuItem onSelect={() => void navigate({ search: { tab: "deliveries", target: id } })}>
            <HistoryIcon /> {t.target.log}
          </MenuItem>
          <MenuSeparator />
          <MenuItem isDanger onSelect={() => setIsAsking(true)}>
            <Trash2Icon /> {t.remove}
          </MenuItem>
        </MenuContent>
      </Menu>
      {isAsking && <Confirm title={t.removeTitle(name)} text={t.target.removeText} action={t.remove} isPending={remove.isPending} onConfirm={run} onClose={() => setIsAsking(false)} />}
    </>
  );
}
