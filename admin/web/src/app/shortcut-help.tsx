// What the keyboard can do here.
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Kbd } from "@/components/ui/kbd";
import { useMessages } from "@/lib/i18n";

import { shellMessages } from "./messages";
import { type Shortcut, useRegisteredShortcuts } from "./shortcuts";

export default function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const t = useMessages(shellMessages);
  const all = useRegisteredShortcuts().filter((shortcut) => shortcut.text);
  const going = all.filter(({ keys }) => keys.startsWith("g "));
  const general = [{ keys: "/", text: t.focusSearch }, ...all.filter(({ keys }) => !keys.startsWith("g "))];
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title={t.shortcuts} description={t.shortcutsText}>
        <List title={t.general} shortcuts={general} />
        <List title={t.goTo} shortcuts={going} />
      </DialogContent>
    </Dialog>
  );
}

function List({ title, shortcuts }: { title: string; shortcuts: readonly Pick<Shortcut, "keys" | "text">[] }) {
  return (
    <section className="not-first:mt-5">
      <h3 className="pb-1 text-xs font-medium text-muted-foreground">{title}</h3>
      <dl className="divide-y">
        {shortcuts.map(({ keys, text }) => (
          <div key={keys} className="flex items-center justify-between gap-4 py-1.5 text-[0.8125rem]">
            <dt>{text}</dt>
            <dd className="flex gap-1">
              {keys.split(/[ +]/).map((key) => (
                <Kbd key={key}>{key === "mod" ? "Ctrl" : key.length === 1 ? key.toUpperCase() : key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
