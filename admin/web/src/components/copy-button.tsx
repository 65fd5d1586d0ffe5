// Puts a text into the clipboard.
import { CheckIcon, CopyIcon } from "lucide-react";
import { useEffect, useState } from "react";

import { toast } from "@/app/toasts";

import { Button } from "./ui/button";

const SHOWN_MS = 1500;

export function CopyButton({ text, label, className }: { text: string; label: string; className?: string }) {
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
  return (
    <Button look="ghost" size="icon-small" aria-label={label} title={label} onClick={() => void copy()} className={className}>
      {isCopied ? <CheckIcon className="text-ok" /> : <CopyIcon />}
    </Button>
  );
}

/** Also where the page came unencrypted and browsers have no clipboard for it. */
async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
