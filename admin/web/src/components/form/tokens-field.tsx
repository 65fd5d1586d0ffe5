// A list of short words as chips: Enter or a comma adds one, Backspace takes the last one away.
import { XIcon } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useState } from "react";

import { fieldLook } from "@/components/ui/input";
import { cn } from "@/lib/cn";
import type { Form, KeysOf } from "@/lib/form";
import { defineMessages, useMessages } from "@/lib/i18n";

import { Field } from "./field";

const messages = defineMessages({
  en: { remove: (word: string) => `Remove ${word}` },
  zh: { remove: (word) => `删除 ${word}` },
});

interface Props<V> {
  form: Form<V>;
  name: KeysOf<V, readonly string[]>;
  label: string;
  help?: ReactNode;
  className?: string;
  placeholder?: string;
  suggestions?: readonly string[];
  isCode?: boolean;
}

export function TokensField<V>({ form, name, label, help, className, placeholder, suggestions = [], isCode }: Props<V>) {
  const t = useMessages(messages);
  const [text, setText] = useState("");
  const words = form.values[name] as readonly string[];
  const set = (next: readonly string[]) => form.set(name, next as V[typeof name]);
  const add = (typed: string) => {
    const fresh = typed.split(",").map((word) => word.trim()).filter((word) => word && !words.includes(word));
    if (fresh.length > 0) set([...words, ...new Set(fresh)]);
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.nativeEvent.isComposing) return;
    if ((event.key === "Enter" && text.trim()) || event.key === ",") {
      event.preventDefault();
      add(text);
    } else if (event.key === "Backspace" && text === "" && words.length > 0) set(words.slice(0, -1));
  };
  return (
    <Field label={label} help={help} error={form.error(name)} className={className}>
      {(wiring) => (
        <div className={cn(fieldLook, "flex min-h-8 flex-wrap items-center gap-1 px-1 py-[3px] focus-within:border-ring focus-within:ring-3 focus-within:ring-ring/25", wiring["aria-invalid"] && "border-bad")}>
          {words.map((word) => (
            <span key={word} className={cn("inline-flex h-6 max-w-full items-center gap-0.5 rounded bg-muted pl-2 text-xs", isCode && "font-mono")}>
              <span className="truncate">{word}</span>
              <button type="button" aria-label={t.remove(word)} onClick={() => set(words.filter((each) => each !== word))} className="flex size-6 items-center justify-center rounded text-muted-foreground hover:text-foreground">
                <XIcon className="size-3" />
              </button>
            </span>
          ))}
          <input
            {...wiring}
            name={name}
            value={text}
            list={suggestions.length > 0 ? `${wiring.id}-list` : undefined}
            placeholder={words.length === 0 ? placeholder : undefined}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => (event.target.value.includes(",") ? add(event.target.value) : setText(event.target.value))}
            onKeyDown={onKeyDown}
            onBlur={() => add(text)}
            className={cn("h-6 min-w-20 flex-1 bg-transparent px-1.5 outline-none placeholder:text-muted-foreground/80", isCode && "font-mono")}
          />
          {suggestions.length > 0 && (
            <datalist id={`${wiring.id}-list`}>
              {suggestions.filter((word) => !words.includes(word)).map((word) => <option key={word} value={word} />)}
            </datalist>
          )}
        </div>
      )}
    </Field>
  );
}
