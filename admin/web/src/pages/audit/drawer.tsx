// One change: what it was before, and after, field by field.
import { useQuery } from "@tanstack/react-query";
import { ChevronDownIcon } from "lucide-react";
import { type ReactNode, useState } from "react";

import { type AuditDetail, auditEntryQuery } from "@/api/audit";
import { QueryFailure } from "@/components/query-failure";
import { Button } from "@/components/ui/button";
import { Dialog, SheetContent } from "@/components/ui/dialog";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { ActionBadge, useActorName, useResourceName } from "./columns";
import { messages } from "./messages";

interface Props {
  id: number | undefined;
  onClose: () => void;
  /** Everything that was done to one thing. */
  onAll: (resource: string, id: string) => void;
}

export function AuditDrawer({ id, onClose, onAll }: Props) {
  const t = useMessages(messages);
  const nameOf = useResourceName();
  const query = useQuery({ ...auditEntryQuery(id ?? 0), enabled: id !== undefined });
  const entry = query.data;
  return (
    <Dialog open={id !== undefined} onOpenChange={(open) => !open && onClose()}>
      {id !== undefined && (
        <SheetContent title={entry ? entry.resourceName || `${nameOf(entry.resource)} ${entry.resourceId}` : t.title}>
          {query.isError ? (
            <QueryFailure query={query} />
          ) : entry ? (
            <Entry entry={entry} onAll={onAll} />
          ) : (
            <div aria-busy className="space-y-3">
              {[1, 2, 3, 4, 5].map((row) => <Skeleton key={row} className="h-9" />)}
            </div>
          )}
        </SheetContent>
      )}
    </Dialog>
  );
}

function Entry({ entry, onAll }: { entry: AuditDetail } & Pick<Props, "onAll">) {
  const t = useMessages(messages);
  const format = useFormat();
  const nameOf = useResourceName();
  const actor = useActorName()(entry);
  const facts: [string, ReactNode][] = [
    [t.columns.at, format.exact(entry.at)],
    [t.columns.actor, <>{actor} <span className="text-muted-foreground">{entry.actor.bySession ? t.bySession : t.byApi}</span></>],
    ...(entry.actor.peer ? [[t.peer, <code key="peer" className="font-mono text-xs">{entry.actor.peer}</code>] as [string, ReactNode]] : []),
    [t.columns.what, `${nameOf(entry.resource)} ${entry.resourceId}`],
    ...(entry.revision === null || entry.revision === undefined ? [] : [[t.revision, format.count(entry.revision)] as [string, ReactNode]]),
  ];
  return (
    <>
      <div className="mb-4 flex items-center gap-2">
        <ActionBadge action={entry.action} />
        <Button size="small" className="ml-auto" onClick={() => onAll(entry.resource, entry.resourceId)}>{t.all}</Button>
      </div>
      <dl className="mb-6 grid grid-cols-[7rem_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-[0.8125rem]">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted-foreground">{name}</dt>
            <dd className="break-words tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      <Diff entry={entry} />
    </>
  );
}

type Fields = Readonly<Record<string, unknown>>;

function Diff({ entry }: { entry: AuditDetail }) {
  const t = useMessages(messages);
  const [showsAll, setShowsAll] = useState(false);
  const before = (entry.before ?? undefined) as Fields | undefined;
  const after = (entry.after ?? undefined) as Fields | undefined;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  if (names.length === 0) return <p className="text-[0.8125rem] text-muted-foreground">{t.noFields}</p>;
  const isBoth = before !== undefined && after !== undefined;
  const isChanged = (name: string) => !isBoth || entry.changed.includes(name);
  const changed = names.filter(isChanged);
  const rest = names.filter((name) => !isChanged(name));
  return (
    <div className="overflow-hidden rounded-lg border">
      <table className="w-full table-fixed text-xs">
        <thead className="bg-muted/60 text-left text-2xs text-muted-foreground">
          <tr>
            <th scope="col" className="w-[30%] px-3 py-1.5 font-medium">{t.field}</th>
            {before && <th scope="col" className="px-3 py-1.5 font-medium">{t.before}</th>}
            {after && <th scope="col" className="px-3 py-1.5 font-medium">{t.after}</th>}
          </tr>
        </thead>
        <tbody className="divide-y">
          {[...changed, ...(showsAll ? rest : [])].map((name) => (
            <tr key={name} className="align-top">
              <th scope="row" className="px-3 py-1.5 text-left font-mono font-normal break-words">{name}</th>
              {before && <Value value={before[name]} tone={isChanged(name) ? "before" : "same"} />}
              {after && <Value value={after[name]} tone={isChanged(name) ? "after" : "same"} />}
            </tr>
          ))}
        </tbody>
      </table>
      {rest.length > 0 && (
        <button type="button" aria-expanded={showsAll} onClick={() => setShowsAll(!showsAll)} className="flex w-full items-center gap-1.5 border-t px-3 py-2 text-xs text-muted-foreground hover:bg-hover hover:text-foreground">
          <ChevronDownIcon aria-hidden className={cn("size-3.5 transition-transform", !showsAll && "-rotate-90")} />
          {t.unchanged(rest.length)}
        </button>
      )}
    </div>
  );
}

const LOOKS = { before: "bg-bad-soft/60", after: "bg-ok-soft/60", same: "text-muted-foreground" } as const;

function Value({ value, tone }: { value: unknown; tone: keyof typeof LOOKS }) {
  const t = useMessages(messages);
  const isNone = value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
  const isWords = Array.isArray(value) && value.every((each) => typeof each === "string");
  const text = typeof value === "string" ? value : isWords ? value.join("\n") : JSON.stringify(value, null, 1);
  return (
    <td className={cn("px-3 py-1.5 font-mono break-words whitespace-pre-wrap", LOOKS[tone])}>
      {isNone ? <span className="font-sans text-muted-foreground">{t.none}</span> : text}
    </td>
  );
}
