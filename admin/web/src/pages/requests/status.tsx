// A status with its colour, and the words behind it.
import { Badge, type Tone } from "@/components/ui/badge";

export function toneOf(status: number): Tone {
  if (status < 400) return "ok";
  if (status === 429 || status === 499) return "warn";
  return "bad";
}

export function StatusBadge({ status, code }: { status: number; code?: string | null | undefined }) {
  return (
    <Badge tone={toneOf(status)} title={code ?? undefined} className="font-mono">
      {status}
    </Badge>
  );
}
