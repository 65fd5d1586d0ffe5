// Why a breaker is open, as the reader can read it.
import { breakerReason } from "@/lib/breaker-reason";
import { useLanguage } from "@/lib/i18n";

export function BreakerReason({ reason, className }: { reason: string; className?: string }) {
  const known = breakerReason(reason, useLanguage());
  return known === null ? <span lang="en" className={className}>{reason}</span> : <span className={className}>{known}</span>;
}
