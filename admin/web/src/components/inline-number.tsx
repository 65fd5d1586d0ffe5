// A number edited where it stands: Enter or leaving keeps it, Escape does not.
import { useEffect, useState } from "react";

import { cn } from "@/lib/cn";

interface Props {
  value: number;
  onChange: (value: number) => void;
  min: number;
  max: number;
  label: string;
  className?: string;
}

export function InlineNumber({ value, onChange, min, max, label, className }: Props) {
  const [text, setText] = useState(String(value));
  useEffect(() => setText(String(value)), [value]);
  const keep = () => {
    const next = Math.round(Number(text));
    if (text.trim() === "" || !Number.isFinite(next)) setText(String(value));
    else {
      const bounded = Math.min(max, Math.max(min, next));
      setText(String(bounded));
      if (bounded !== value) onChange(bounded);
    }
  };
  return (
    <input
      type="text"
      inputMode="numeric"
      aria-label={label}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onFocus={(event) => event.currentTarget.select()}
      onBlur={keep}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        else if (event.key === "Escape") {
          setText(String(value));
          requestAnimationFrame(() => (event.target as HTMLInputElement).blur());
        } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
          event.preventDefault();
          setText(String(Math.min(max, Math.max(min, (Number(text) || 0) + (event.key === "ArrowUp" ? 1 : -1)))));
        }
      }}
      className={cn(
        "h-7 w-14 rounded-md border border-transparent bg-transparent px-2 text-right tabular-nums hover:border-input hover:bg-surface focus:border-ring focus:bg-surface focus:ring-3 focus:ring-ring/25 focus:outline-none",
        className,
      )}
    />
  );
}
