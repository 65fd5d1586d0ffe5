// Renewing what expires, a user or a key, from the menu of its row.
import type { UseMutationResult } from "@tanstack/react-query";
import { CalendarPlusIcon } from "lucide-react";

import { toast } from "@/app/toasts";
import { SPANS, later } from "@/components/form/expiry-field";
import { MenuItem, MenuLabel, MenuSeparator } from "@/components/ui/menu";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { messages } from "./messages";

interface Expiring {
  expiresAt?: string | null;
}

interface Props {
  entry: Expiring & { id: number; name: string };
  renew: UseMutationResult<Expiring, Error, { id: number; expiresAt: string }>;
}

export function RenewItems({ entry: { id, name, expiresAt }, renew }: Props) {
  const t = useMessages(messages);
  const format = useFormat();
  const renewBy = (days: number) =>
    renew.mutate({ id, expiresAt: later(days, expiresAt) }, { onSuccess: (now) => toast.done(t.renewed(name, format.date(now.expiresAt ?? ""))), onError: toast.failed });
  return (
    <>
      <MenuSeparator />
      <MenuLabel>{t.renew}</MenuLabel>
      {SPANS.map((days) => (
        <MenuItem key={days} onSelect={() => renewBy(days)}>
          <CalendarPlusIcon /> {t.renewBy(days)}
        </MenuItem>
      ))}
      <MenuSeparator />
    </>
  );
}
