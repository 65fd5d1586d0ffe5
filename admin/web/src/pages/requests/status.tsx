// A status with its colour, and the words behind it.
import { type Tone, badgeClass } from "@/components/ui/badge";

const LOOK = { ok: badgeClass("ok", "font-mono"), warn: badgeClass("warn", "font-mono"), bad: badgeClass("bad", "font-mono") };

export function toneOf(status: number): Extract<Tone, keyof typeof LOOK> {
  if (status < 400) return "ok";
  if (status === 429 || status === 499) return "warn";
  return "bad";
}

export function StatusBadge({ status, code }: { status: number; code?: string | null | undefined }) {
  return (
    <span title={code ?? undefined} className={LOOK[toneOf(status)]}>
      {status}
    </span>
  );
}
