// A provider's type at a glance: two letters on the colour of its family. No logos: those belong to others.
import type { ProviderType } from "@/api/providers";
import { cn } from "@/lib/cn";

const MARKS: Record<ProviderType, readonly [string, string]> = {
  claude: ["Cl", "bg-chart-3/15 text-[color-mix(in_oklab,var(--chart-3),var(--foreground)_45%)]"],
  "claude-auth": ["Ca", "bg-chart-6/15 text-[color-mix(in_oklab,var(--chart-6),var(--foreground)_45%)]"],
  codex: ["Cx", "bg-chart-2/15 text-[color-mix(in_oklab,var(--chart-2),var(--foreground)_45%)]"],
  "openai-compatible": ["Oa", "bg-chart-5/15 text-[color-mix(in_oklab,var(--chart-5),var(--foreground)_45%)]"],
  gemini: ["Ge", "bg-chart-1/15 text-[color-mix(in_oklab,var(--chart-1),var(--foreground)_45%)]"],
  "gemini-cli": ["Gc", "bg-chart-7/15 text-[color-mix(in_oklab,var(--chart-7),var(--foreground)_45%)]"],
};

export function ProviderMark({ type, className }: { type: ProviderType; className?: string }) {
  const [letters, look] = MARKS[type];
  return (
    <span aria-hidden translate="no" className={cn("flex size-8 shrink-0 items-center justify-center rounded-lg text-xs font-semibold", look, className)}>
      {letters}
    </span>
  );
}
