// A key that was just made: shown this once, with what to paste where.
import { TriangleAlertIcon } from "lucide-react";

import type { NewKey } from "@/api/keys";
import { CodeBlock } from "@/components/code-block";
import { CopyButton } from "@/components/copy-button";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose, DialogContent } from "@/components/ui/dialog";
import { Segmented } from "@/components/ui/tabs";
import { useMessages } from "@/lib/i18n";
import { platformHere, PROGRAM_NAMES, PROGRAMS, type Program, snippetsFor } from "@/lib/setup";
import { createStore, createStored, useStore } from "@/lib/store";

import { messages } from "./messages";

/** In memory only: a reload forgets it. */
const shown = createStore<NewKey | null>(null);

export function showKey(key: NewKey): void {
  shown.set(key);
}

/** While a key is shown nothing else lies over the page. */
export function useIsKeyShown(): boolean {
  return useStore(shown) !== null;
}

/** Mounted once by each page that makes keys. */
export function SecretDialog() {
  const t = useMessages(messages).secret;
  const key = useStore(shown);
  if (!key) return null;
  return (
    <Dialog open onOpenChange={(open) => !open && shown.set(null)}>
      <DialogContent
        title={t.title(key.name)}
        className="max-w-2xl"
        onInteractOutside={(event) => event.preventDefault()}
        footer={
          <DialogClose asChild>
            <Button look="primary">{t.done}</Button>
          </DialogClose>
        }
      >
        <p className="mb-3 flex items-start gap-2 rounded-md bg-warn-soft px-3 py-2 text-[0.8125rem] text-warn">
          <TriangleAlertIcon aria-hidden className="mt-0.5 size-4 shrink-0" />
          {t.once}
        </p>
        <div className="flex items-center gap-2 rounded-lg border border-input bg-surface py-1.5 pr-1.5 pl-3">
          <code data-testid="new-key" className="min-w-0 flex-1 font-mono text-[0.8125rem] break-all select-all">{key.key}</code>
          <CopyButton isWorded text={key.key} label={t.copy} look="primary" />
        </div>
        <SetUp secret={key.key} />
      </DialogContent>
    </Dialog>
  );
}

const chosen = createStored<Program>("setup-program", (stored) => PROGRAMS.find((each) => each === stored) ?? "claude");

/** What to paste where so that a client goes through this gateway. */
export function SetUp({ secret }: { secret: string }) {
  const t = useMessages(messages).secret;
  const program = useStore(chosen);
  const snippets = snippetsFor(program, { origin: window.location.origin, key: secret, platform: platformHere() });
  return (
    <section aria-label={t.setUp} className="mt-5 min-w-0">
      <h3 className="mb-2 text-[0.8125rem] font-medium">{t.setUp}</h3>
      <div className="overflow-x-auto">
        <Segmented label={t.setUp} value={program} onChange={chosen.set} options={PROGRAMS.map((value) => ({ value, label: PROGRAM_NAMES[value] }))} />
      </div>
      <div className="mt-3 space-y-3">
        {snippets.map(({ title, text }) => (
          <CodeBlock key={title} title={title} text={text} />
        ))}
      </div>
    </section>
  );
}
