// Text to take along: what it is, the text, a button that copies it.
import { cn } from "@/lib/cn";
import { defineMessages, useMessages } from "@/lib/i18n";
import { TERMINAL } from "@/lib/setup";

import { CopyButton } from "./copy-button";

const messages = defineMessages({
  en: { copy: (what: string) => `Copy ${what}`, terminal: "Terminal" },
  zh: { copy: (what) => `复制 ${what}`, terminal: "终端" },
});

interface Props {
  text: string;
  /** The file it goes into, or the program that reads it. */
  title: string;
  /** Long lines go on below: where there is little room. */
  isWrapped?: boolean;
  className?: string;
}

export function CodeBlock({ text, title: given, isWrapped, className }: Props) {
  const t = useMessages(messages);
  const title = given === TERMINAL ? t.terminal : given;
  return (
    <figure className={cn("min-w-0 overflow-hidden rounded-lg border bg-surface", className)}>
      <figcaption className="flex items-center gap-2 border-b py-0.5 pr-1 pl-3 text-xs text-muted-foreground">
        <span className="min-w-0 flex-1 truncate font-mono">{title}</span>
        <CopyButton text={text} label={t.copy(title)} />
      </figcaption>
      <pre tabIndex={0} aria-label={title} className={cn("overflow-x-auto px-3 py-2.5 font-mono text-xs leading-5 -outline-offset-2", isWrapped && "wrap-anywhere whitespace-pre-wrap")}>
        <code>{text}</code>
      </pre>
    </figure>
  );
}
