// Copies a text, and says that it did.
import { CheckIcon, CopyIcon } from "lucide-react";
import { type ComponentProps, useEffect, useState } from "react";

import { toast } from "@/app/toasts";
import { defineMessages, useMessages } from "@/lib/i18n";

import { Button } from "./ui/button";

const messages = defineMessages({
  en: { copy: "Copy", copied: "Copied", failed: "The browser did not allow copying. Select the text and copy it." },
  zh: { copy: "复制", copied: "已复制", failed: "浏览器不允许复制，请手动选择并复制。" },
});

interface Props extends Pick<ComponentProps<typeof Button>, "size" | "look" | "className"> {
  text: string;
  /** What is copied, for those who do not see it. */
  label: string;
  /** Only the icon. */
  isBare?: boolean;
}

/** Clipboard access needs TLS or the own machine; elsewhere a field that nobody sees does it. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "sr-only";
    (document.querySelector("[role=dialog]") ?? document.body).append(field);
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    return isDone;
  }
}

export function CopyButton({ text, label, isBare, size, ...rest }: Props) {
  const t = useMessages(messages);
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const run = async () => {
    if (await copy(text)) setIsCopied(true);
    else toast.failed(new Error(t.failed));
  };
  const words = isCopied ? t.copied : t.copy;
  return (
    <Button size={size ?? (isBare ? "icon-small" : "small")} aria-label={`${words}: ${label}`} onClick={() => void run()} {...rest}>
      {isCopied ? <CheckIcon className="text-ok" /> : <CopyIcon />}
      {!isBare && words}
    </Button>
  );
}
