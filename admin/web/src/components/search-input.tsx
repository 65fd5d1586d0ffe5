// The field that `/` goes to. What is typed arrives when the typing rests.
import { SearchIcon } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { useShortcuts } from "@/app/shortcuts";
import { cn } from "@/lib/cn";

import { Input } from "./ui/input";
import { Kbd } from "./ui/kbd";

const REST_MS = 250;

interface Props {
  value: string;
  onChange: (value: string) => void;
  label: string;
  className?: string;
}

export function SearchInput({ value, onChange, label, className }: Props) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  const field = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: "/", run: () => field.current?.focus() }]);
  useEffect(() => {
    if (value !== sent.current) {
      sent.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = text;
      latest.current(text);
    }, REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div className={cn("group relative w-full max-w-72", className)}>
      <SearchIcon aria-hidden className="pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-muted-foreground" />
      <Input
        ref={field}
        type="search"
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        className="pr-8 pl-8 [&::-webkit-search-cancel-button]:hidden"
      />
      <Kbd aria-hidden className="pointer-events-none absolute top-1/2 right-1.5 -translate-y-1/2 group-focus-within:hidden max-md:hidden">/</Kbd>
    </div>
  );
}
