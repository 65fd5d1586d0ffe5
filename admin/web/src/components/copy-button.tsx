// Puts a text into the clipboard.
import { CheckIcon, CopyIcon } from "lucide-react";
import { type ComponentProps, useEffect, useState } from "react";

import { toast } from "@/app/toasts";
import { defineMessages, useMessages } from "@/lib/i18n";

import { Button } from "./ui/button";

const SHOWN_MS = 1500;

const messages = defineMessages({
  en: { copy: "Copy", copied: "Copied" },
  zh: { copy: "复制", copied: "已复制" },
});

interface Props extends Pick<ComponentProps<typeof Button>, "look" | "className"> {
  text: string;
  label: string;
  /** A word stands beside the sign. */
  isWorded?: boolean;
}

export function CopyButton({ text, label, isWorded, look = "ghost", className }: Props) {
  const t = useMessages(messages);
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => {
    try {
      await copyText(text);
      setIsCopied(true);
    } catch (error) {
      toast.failed(error);
    }
  };
  const sign = isCopied ? <CheckIcon className={isWorded ? undefined : "text-ok"} /> : <CopyIcon />;
  return isWorded ? (
    <Button look={look} size="small" title={label} onClick={() => void copy()} className={className}>
      {sign}
      <span aria-live="polite">{isCopied ? t.copied : t.copy}</span>
    </Button>
  ) : (
    <Button look={look} size="icon-small" aria-label={label} title={label} onClick={() => void copy()} className={className}>
      {sign}
    </Button>
  );
}

/** Also where the page came unencrypted and browsers have no clipboard for it. */
async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  // Within the dialog, if there is one: focus does not leave it.
  (document.querySelector("[role=dialog]") ?? document.body).append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
