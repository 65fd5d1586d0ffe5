// Taking over a table of prices, from a file or from an address: first what it would change, then the change.
import { type UseMutationResult } from "@tanstack/react-query";
import { FileJsonIcon } from "lucide-react";
import { type DragEvent, type FormEvent, type ReactNode, useRef, useState } from "react";

import { type ImportReport, useImportPrices, useSyncPrices } from "@/api/prices";
import { describe } from "@/api/problem";
import { toast } from "@/app/toasts";
import { Field } from "@/components/form/field";
import { Button } from "@/components/ui/button";
import { SheetContent } from "@/components/ui/dialog";
import { Input } from "@/components/ui/input";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { Diff } from "./diff";
import { messages } from "./messages";

type Table = Record<string, unknown>;

interface Props {
  onClose: () => void;
}

export function ImportSheet({ onClose }: Props) {
  const t = useMessages(messages);
  const run = useImportPrices();
  const [table, setTable] = useState<Table | null>(null);
  const [mistake, setMistake] = useState<string | null>(null);
  const take = async (file: File | undefined) => {
    if (!file) return;
    const read = await parse(file);
    setMistake(read ? null : t.notJson);
    if (!read) return;
    setTable(read);
    run.mutate({ table: read, apply: false });
  };
  return (
    <TableSheet title={t.importTitle} text={t.importText} run={run} isApplying={run.variables?.apply === true} apply={() => table && run.mutate({ table, apply: true })} onClose={onClose}>
      <DropZone onFile={(file) => void take(file)} />
      {mistake && <p role="alert" className="pt-2 text-[0.8125rem] text-bad">{mistake}</p>}
    </TableSheet>
  );
}

async function parse(file: File): Promise<Table | null> {
  try {
    const value: unknown = JSON.parse(await file.text());
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Table) : null;
  } catch {
    return null;
  }
}

export function SyncSheet({ onClose }: Props) {
  const t = useMessages(messages);
  const run = useSyncPrices();
  const [url, setUrl] = useState("");
  const address = url.trim() || undefined;
  const check = (event: FormEvent) => {
    event.preventDefault();
    run.mutate({ url: address, apply: false });
  };
  return (
    <TableSheet title={t.syncTitle} text={t.syncText} run={run} isApplying={run.variables?.apply === true} apply={() => run.mutate({ url: address, apply: true })} onClose={onClose}>
      <form onSubmit={check} className="space-y-3">
        <Field label={t.url} help={t.urlHelp}>
          {(wiring) => <Input {...wiring} type="url" value={url} onChange={(event) => setUrl(event.target.value)} spellCheck={false} className="font-mono" />}
        </Field>
        <Button type="submit" look="primary" disabled={run.isPending}>
          {run.isPending && !run.variables.apply ? t.checking : t.check}
        </Button>
      </form>
    </TableSheet>
  );
}

interface TableProps extends Props {
  title: string;
  text: string;
  run: UseMutationResult<ImportReport, Error, never>;
  isApplying: boolean;
  apply: () => void;
  /** Where the table comes from. */
  children: ReactNode;
}

function TableSheet({ title, text, run, isApplying, apply, onClose, children }: Omit<TableProps, "run"> & { run: Pick<TableProps["run"], "data" | "error" | "isPending" | "reset"> }) {
  const t = useMessages(messages);
  const format = useFormat();
  // The report of the dry run stays in sight while it is applied.
  const seen = useRef<ImportReport | null>(null);
  if (run.data) seen.current = run.data;
  const report = run.data ?? (run.isPending && isApplying ? seen.current : null);
  const changes = report ? report.addedCount + report.changedCount : 0;
  return (
    <SheetContent
      title={title}
      description={text}
      footer={
        report && (
          <>
            {report.applied ? (
              <p role="status" className="mr-auto text-[0.8125rem] text-ok">{t.applied(format.count(report.addedCount), format.count(report.changedCount))}</p>
            ) : (
              <Button look="ghost" className="mr-auto" disabled={run.isPending} onClick={run.reset}>{t.again}</Button>
            )}
            {report.applied || changes === 0 ? (
              <Button look="primary" onClick={onClose}>{t.close}</Button>
            ) : (
              <Button look="primary" disabled={run.isPending} onClick={apply}>{run.isPending ? t.applying : t.apply(format.count(changes))}</Button>
            )}
          </>
        )
      }
    >
      {run.error && <p role="alert" className="mb-4 rounded-md bg-bad-soft px-3 py-2 text-[0.8125rem] text-bad">{describe(run.error)}</p>}
      {report ? (
        <Diff report={report} />
      ) : (
        <>
          {children}
          {run.isPending && (
            <div aria-busy className="space-y-3 pt-6">
              {Array.from({ length: 6 }, (_, index) => (
                <Skeleton key={index} />
              ))}
            </div>
          )}
        </>
      )}
    </SheetContent>
  );
}

function DropZone({ onFile }: { onFile: (file: File | undefined) => void }) {
  const t = useMessages(messages);
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setIsOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    const file = event.dataTransfer.files[0];
    if (file && !/json|text/.test(file.type) && !file.name.endsWith(".json")) toast.failed(new Error(t.notJson));
    else onFile(file);
  };
  return (
    <div
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
      className={cn("flex flex-col items-center gap-2 rounded-lg border border-dashed border-input px-6 py-12 text-[0.8125rem] text-muted-foreground", isOver && "border-accent bg-accent-soft")}
    >
      <FileJsonIcon aria-hidden className="size-6" />
      <Button onClick={() => input.current?.click()}>{t.choose}</Button>
      {t.drop}
      <input ref={input} type="file" accept=".json,application/json" aria-label={t.choose} tabIndex={-1} className="sr-only" onChange={(event) => onFile(event.target.files?.[0])} />
    </div>
  );
}
