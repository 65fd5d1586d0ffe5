// Keys of one user: what they are called, how to recognise them, how they stand.
import { useQuery } from "@tanstack/react-query";
import { ChevronDownIcon, KeyRoundIcon, LayoutDashboardIcon, PlusIcon } from "lucide-react";
import { useState } from "react";

import { type Key, keyLimitsQuery } from "@/api/keys";
import { Empty } from "@/components/empty";
import { RelativeTime } from "@/components/time";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/popover";
import { cn } from "@/lib/cn";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import { LIMITS, MONEY, splitGroups } from "./form/values";
import { KeyActions, KeySwitch } from "./key-actions";
import { LimitList } from "./limits";
import { messages } from "./messages";
import { expiryOf } from "./rows";

interface Props {
  keys: readonly Key[];
  onEdit: (key: Key) => void;
  onCreate: () => void;
}

export function KeyList({ keys, onEdit, onCreate }: Props) {
  const t = useMessages(messages);
  if (keys.length === 0) {
    return (
      <Empty icon={KeyRoundIcon} title={t.key.none} text={t.key.noneText} className="rounded-lg border border-dashed py-8">
        <Button look="primary" onClick={onCreate}>
          <PlusIcon /> {t.newKey}
        </Button>
      </Empty>
    );
  }
  return (
    <ul className="divide-y rounded-lg border bg-surface">
      {keys.map((key) => (
        <KeyEntry key={key.id} entry={key} onEdit={() => onEdit(key)} />
      ))}
    </ul>
  );
}

function KeyEntry({ entry, onEdit }: { entry: Key; onEdit: () => void }) {
  const t = useMessages(messages);
  const format = useFormat();
  const [isOpen, setIsOpen] = useState(false);
  const expiry = expiryOf(entry.expiresAt);
  const limits = LIMITS.filter((name) => entry[name] !== null && entry[name] !== undefined);
  const words = limits.map((name) => {
    const value = entry[name] ?? 0;
    return `${(MONEY as readonly string[]).includes(name) ? format.usd(value) : format.count(Number(value))} ${t.limitNames[name].toLowerCase()}`;
  });
  return (
    <li className="px-3 py-2.5">
      <div className="flex items-center gap-3">
        <div className={cn("min-w-0 flex-1", (!entry.isEnabled || expiry === "over") && "text-muted-foreground")}>
          <p className="flex min-w-0 items-center gap-1.5 text-[0.8125rem] leading-5">
            <span className="truncate font-medium">{entry.name}</span>
            {entry.canLoginWebUi && (
              <Tooltip content={t.key.dashboardText}>
                <span tabIndex={0} role="img" aria-label={t.key.dashboardText} className="rounded text-accent">
                  <LayoutDashboardIcon aria-hidden className="size-3.5" />
                </span>
              </Tooltip>
            )}
            {expiry === "over" && <Badge tone="bad">{t.over}</Badge>}
            {!entry.isEnabled && <Badge>{t.off}</Badge>}
            {splitGroups(entry.providerGroup).map((group) => <Badge key={group} tone="outline">{group}</Badge>)}
          </p>
          <p className="truncate font-mono text-xs leading-5 text-muted-foreground">
            {entry.prefix}…{entry.lastFour}
          </p>
        </div>
        <p className="hidden shrink-0 text-right text-xs leading-5 text-muted-foreground sm:block">
          {t.key.created} <RelativeTime value={entry.createdAt} />
          {entry.expiresAt && expiry !== "over" && (
            <span className={cn("block", expiry === "soon" && "text-warn")}>
              {t.key.ends} <RelativeTime value={entry.expiresAt} />
            </span>
          )}
        </p>
        <KeySwitch entry={entry} />
        <KeyActions entry={entry} onEdit={onEdit} />
      </div>
      {words.length > 0 && (
        <>
          <button type="button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)} className="mt-1 flex max-w-full items-center gap-1 rounded text-xs text-muted-foreground hover:text-foreground">
            <ChevronDownIcon aria-hidden className={cn("size-3.5 shrink-0 transition-transform", !isOpen && "-rotate-90")} />
            <span className="truncate tabular-nums">{words.join(" · ")}</span>
          </button>
          {isOpen && <KeyLimits id={entry.id} />}
        </>
      )}
    </li>
  );
}

function KeyLimits({ id }: { id: number }) {
  const { data } = useQuery(keyLimitsQuery(id));
  return (
    <div className="mt-2 rounded-md bg-muted/50 p-3">
      <LimitList usage={data} />
    </div>
  );
}
