// Text to copy: commands, files, a key.
import { cn } from "@/lib/cn";
import { defineMessages, useMessages } from "@/lib/i18n";

import { CopyButton } from "./copy-button";

const messages = defineMessages({ en: { copy: (what: string) => `Copy ${what}` }, zh: { copy: (what) => `复制 ${what}` } });

interface Props {
  code: string;
  /** What it is: the file's name, or where to type it. */
  label: string;
  className?: string;
}

export function CodeBlock({ code, label, className }: Props) {
  const t = useMessages(messages);
  return (
    <figure className={cn("min-w-0 overflow-hidden rounded-lg border bg-surface", className)}>
      <figcaption className="flex h-8 items-center gap-2 border-b bg-muted/60 pr-1 pl-3 text-2xs font-medium text-muted-foreground">
        <span className="min-w-0 flex-1 truncate font-mono">{label}</span>
        <CopyButton text={code} label={t.copy(label)} />
      </figcaption>
      <pre tabIndex={0} aria-label={label} className="overflow-x-auto px-3 py-2.5 font-mono text-xs leading-5">
        <code>{code}</code>
      </pre>
    </figure>
  );
}
