// The configuration as a file: made with a passphrase, and put back with it once its reader has seen what that would do.
import { type FormEvent, useState } from "react";

import { describe, mistakesOf } from "@/api/problem";
import { type Backup, type RestoreReport, useBackup, useRestore } from "@/api/system";
import { toast } from "@/app/toasts";
import { Confirm } from "@/components/confirm";
import { Field } from "@/components/form/field";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Input } from "@/components/ui/input";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { messages } from "./backup-messages";

/** Names that are told of one by one. */
const TOLD = 12;

export function BackupCard() {
  const t = useMessages(messages);
  const [passphrase, setPassphrase] = useState("");
  const backup = useBackup();
  const mistakes = mistakesOf(backup.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void backup.mutateAsync(passphrase).then(
      (made) => {
        save(made);
        setPassphrase("");
        toast.done(t.made);
      },
      () => undefined,
    );
  };
  return (
    <Card>
      <CardHeader title={t.backup} />
      <form onSubmit={submit} noValidate className="space-y-4 p-4">
        <p className="text-xs text-pretty text-muted-foreground">{t.backupText}</p>
        <Field label={t.passphrase} help={t.passphraseHelp} error={mistakes.get("passphrase")}>
          {(wiring) => <Input {...wiring} type="password" autoComplete="new-password" value={passphrase} onChange={(event) => setPassphrase(event.target.value)} />}
        </Field>
        <Button type="submit" disabled={backup.isPending || passphrase === ""}>{backup.isPending ? t.making : t.make}</Button>
        {backup.isError && mistakes.size === 0 && <p role="alert" className="text-xs text-bad">{describe(backup.error)}</p>}
      </form>
    </Card>
  );
}

export function RestoreCard() {
  const t = useMessages(messages);
  const [passphrase, setPassphrase] = useState("");
  const [backup, setBackup] = useState<Backup | null>(null);
  const [unreadable, setUnreadable] = useState(false);
  const [told, setTold] = useState<RestoreReport | null>(null);
  const look = useRestore();
  const restore = useRestore();
  const mistakes = mistakesOf(look.error);
  const others = [...mistakes].filter(([path]) => path !== "passphrase");
  const choose = (file: File | undefined) => {
    look.reset();
    void read(file).then((found) => {
      setBackup(found);
      setUnreadable(file !== undefined && found === null);
    });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (backup) void look.mutateAsync({ passphrase, backup, dryRun: true }).then(setTold, () => undefined);
  };
  const run = () => {
    if (!backup) return;
    void restore.mutateAsync({ passphrase, backup, dryRun: false }).then(
      (done) => toast.done(t.restored(done.created.length, done.changed.length)),
      toast.failed,
    ).then(() => setTold(null));
  };
  return (
    <Card>
      <CardHeader title={t.restore} />
      <form onSubmit={submit} noValidate className="space-y-4 p-4">
        <p className="text-xs text-pretty text-muted-foreground">{t.restoreText}</p>
        <Field label={t.file} error={unreadable ? t.unreadable : undefined}>
          {(wiring) => <Input {...wiring} type="file" accept=".json,application/json" onChange={(event) => choose(event.target.files?.[0])} />}
        </Field>
        <Field label={t.itsPassphrase} error={mistakes.get("passphrase")}>
          {(wiring) => <Input {...wiring} type="password" autoComplete="off" value={passphrase} onChange={(event) => setPassphrase(event.target.value)} />}
        </Field>
        <Button type="submit" disabled={look.isPending || !backup || passphrase === ""}>{look.isPending ? t.looking : t.look}</Button>
        {look.isError && mistakes.size === 0 && <p role="alert" className="text-xs text-bad">{describe(look.error)}</p>}
        {others.length > 0 && (
          <ul role="alert" className="space-y-1 text-xs break-words text-bad">
            {others.slice(0, TOLD).map(([path, message]) => <li key={path}>{path}: {message}</li>)}
            {others.length > TOLD && <li>{t.more(others.length - TOLD)}</li>}
          </ul>
        )}
      </form>
      {told && (
        <Confirm
          title={t.confirm}
          text={<Report report={told} />}
          action={restore.isPending ? t.restoring : t.run}
          isPending={restore.isPending || told.created.length + told.changed.length === 0}
          onConfirm={run}
          onClose={() => setTold(null)}
        />
      )}
    </Card>
  );
}

function Report({ report }: { report: RestoreReport }) {
  const t = useMessages(messages);
  const format = useFormat();
  const isNothing = report.created.length + report.changed.length === 0;
  const lists = [[t.created, report.created], [t.changed, report.changed]] as const;
  return (
    <div className="max-h-80 space-y-3 overflow-y-auto" tabIndex={0}>
      {isNothing && <p>{t.nothing}</p>}
      {lists.map(([title, things]) => things.length > 0 && (
        <section key={title}>
          <h3 className="font-medium tabular-nums">{title}: {format.count(things.length)}</h3>
          <ul className="text-xs break-words text-muted-foreground">
            {things.slice(0, TOLD).map(({ kind, name, fields }, row) => (
              <li key={row}>{t.kinds[kind]} {name}{fields.length > 0 && `: ${fields.join(", ")}`}</li>
            ))}
            {things.length > TOLD && <li>{t.more(things.length - TOLD)}</li>}
          </ul>
        </section>
      ))}
      {report.notes.map((note) => <p key={note} className="text-xs text-warn">{note}</p>)}
    </div>
  );
}

/** None when it is no JSON object. What it says is the gateway's to judge. */
async function read(file: File | undefined): Promise<Backup | null> {
  try {
    const value: unknown = file ? JSON.parse(await file.text()) : null;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Backup) : null;
  } catch {
    return null;
  }
}

function save(backup: Backup): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(backup, null, 1)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `switchyard-backup-${backup.createdAt.slice(0, 10)}.json`;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
