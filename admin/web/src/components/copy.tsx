// Text one takes along: a button that copies, and a block of code with one.
import { CheckIcon, CopyIcon } from "lucide-react";
import { useEffect, useState } from "react";

import { toast } from "@/app/toasts";
import { cn } from "@/lib/cn";
import { defineMessages, messagesNow, useMessages } from "@/lib/i18n";

import { Button } from "./ui/button";

const messages = defineMessages({
  en: { copy: "Copy", copied: "Copied", refused: "The browser does not let this page copy. Select the text and copy it." },
  zh: { copy: "复制", copied: "已复制", refused: "浏览器不允许此页面复制，请手动选择文本并复制。" },
});

const SHOWN_MS = 1600;

/** Where the page has no clipboard (plain HTTP), a selection of the text still copies. */
async function copy(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error(messagesNow(messages).refused);
}

export function CopyButton({ text, label, className }: { text: string; label?: string; className?: string }) {
  const t = useMessages(messages);
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <Button
      look="ghost"
      size="icon-small"
      aria-label={isCopied ? t.copied : `${t.copy}${label ? `: ${label}` : ""}`}
      className={className}
      onClick={() => void copy(text).then(() => setIsCopied(true), toast.failed)}
    >
      {isCopied ? <CheckIcon className="text-ok" /> : <CopyIcon />}
    </Button>
  );
}

interface CodeProps {
  text: string;
  /** What it is: the file it goes into, the program that reads it. */
  title: string;
  className?: string;
}

export function CodeBlock({ text, title, className }: CodeProps) {
  return (
    <figure className={cn("min-w-0 overflow-hidden rounded-lg border bg-surface", className)}>
      <figcaption className="flex items-center gap-2 border-b py-0.5 pr-1 pl-3 text-xs text-muted-foreground">
        <span className="min-w-0 flex-1 truncate font-mono">{title}</span>
        <CopyButton text={text} label={title} />
      </figcaption>
      <pre tabIndex={0} className="overflow-x-auto px-3 py-2.5 font-mono text-xs leading-5 -outline-offset-2">
        <code>{text}</code>
      </pre>
    </figure>
  );
}
