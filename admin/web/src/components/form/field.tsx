// What is common to all fields: the label, the explanation, the mistake.
import { type ReactNode, useId } from "react";

import { cn } from "@/lib/cn";

export interface FieldProps {
  label: string;
  help?: ReactNode;
  error?: string | undefined;
  className?: string | undefined;
}

export interface Wiring {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
}

interface Props extends FieldProps {
  children: (wiring: Wiring) => ReactNode;
  /** For what is made of many controls: the label names the group. */
  isGroup?: boolean;
}

export function Field({ label, help, error, className, isGroup, children }: Props) {
  const id = useId();
  const describedBy = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const wiring = { id, "aria-describedby": describedBy, "aria-invalid": error ? true : undefined };
  return (
    <div role={isGroup ? "group" : undefined} aria-labelledby={isGroup ? `${id}-label` : undefined} className={cn("min-w-0 space-y-1", className)}>
      {isGroup ? (
        <span id={`${id}-label`} className="block text-[0.8125rem] font-medium">{label}</span>
      ) : (
        <label htmlFor={id} className="block text-[0.8125rem] font-medium">{label}</label>
      )}
      {children(wiring)}
      {error && <p id={`${id}-error`} className="text-xs text-bad">{error}</p>}
      {help && <p id={`${id}-help`} className="text-xs text-pretty text-muted-foreground">{help}</p>}
    </div>
  );
}

interface SectionProps {
  title: string;
  help?: ReactNode;
  children: ReactNode;
}

/** Fields that belong together. */
export function FieldSection({ title, help, children }: SectionProps) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="scroll-mt-4 border-t py-5 first:border-t-0 first:pt-0">
      <h3 id={id} className="text-sm font-semibold">{title}</h3>
      {help && <p className="mt-0.5 text-[0.8125rem] text-pretty text-muted-foreground">{help}</p>}
      <div className="mt-4 grid gap-x-4 gap-y-4 sm:grid-cols-2">{children}</div>
    </section>
  );
}
