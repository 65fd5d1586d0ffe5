// A field that is a list of rows with a few controls each: rules, redirects, names with values.
import { PlusIcon, XIcon } from "lucide-react";
import type { ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { defineMessages, useMessages } from "@/lib/i18n";

import { Field, type FieldProps } from "./field";

const messages = defineMessages({
  en: { add: "Add", remove: (row: number) => `Remove row ${row}` },
  zh: { add: "添加", remove: (row) => `删除第 ${row} 行` },
});

interface Props<T> extends FieldProps {
  rows: readonly T[];
  onChange: (rows: readonly T[]) => void;
  /** What a new row holds. */
  blank: T;
  /** The controls of a row; name each of them with `label`. */
  children: (row: T, change: (part: Partial<T>) => void, label: string) => ReactNode;
}

export function RowList<T extends object>({ rows, onChange, blank, children, ...field }: Props<T>) {
  const t = useMessages(messages);
  return (
    <Field {...field} isGroup>
      {() => (
        <div className="space-y-1.5">
          {rows.map((row, index) => (
            <div key={index} className="flex items-center gap-1.5">
              {children(
                row,
                (part) => onChange(rows.map((each, at) => (at === index ? { ...each, ...part } : each))),
                `${field.label} ${index + 1}`,
              )}
              <Button look="ghost" size="icon" aria-label={t.remove(index + 1)} onClick={() => onChange(rows.filter((_, at) => at !== index))}>
                <XIcon />
              </Button>
            </div>
          ))}
          <Button size="small" onClick={() => onChange([...rows, blank])}>
            <PlusIcon /> {t.add}
          </Button>
        </div>
      )}
    </Field>
  );
}
