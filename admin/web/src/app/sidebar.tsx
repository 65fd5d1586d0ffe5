// The navigation: what the reader's role may see, in groups.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { SearchIcon } from "lucide-react";

import { healthQuery } from "@/api/health";
import { useSession } from "@/api/session";
import { Logo } from "@/components/logo";
import { Dot } from "@/components/ui/badge";
import { Kbd } from "@/components/ui/kbd";
import { Tooltip } from "@/components/ui/popover";
import { TIME_ZONE } from "@/lib/format";
import { useLanguage, useMessages } from "@/lib/i18n";
import { pages } from "@/pages";

import { AccountMenu } from "./account-menu";
import { shellMessages } from "./messages";
import { GROUPS, groupTitles } from "./page";

interface Props {
  onSearch: () => void;
  onHelp: () => void;
  /** After a page was chosen. */
  onGo?: () => void;
}

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

export function Sidebar({ onSearch, onHelp, onGo }: Props) {
  const t = useMessages(shellMessages);
  return (
    <div className="flex h-full flex-col">
      <div className="flex items-center gap-2.5 px-4 pt-4 pb-3">
        <Logo />
        <span className="text-[0.9375rem] font-semibold tracking-tight">Switchyard</span>
      </div>
      <div className="px-3 pb-2">
        <button
          type="button"
          onClick={onSearch}
          className="flex h-8 w-full items-center gap-2 rounded-md border bg-surface px-2 text-left text-[0.8125rem] text-muted-foreground shadow-xs hover:border-input"
        >
          <SearchIcon aria-hidden className="size-3.5" />
          <span className="flex-1 truncate">{t.search}</span>
          <Kbd className="max-md:hidden">{isMac ? "⌘K" : "Ctrl K"}</Kbd>
        </button>
      </div>
      <nav aria-label={t.navigation} className="min-h-0 flex-1 overflow-y-auto px-3 pb-4">
        <Groups onGo={onGo} />
      </nav>
      <footer className="border-t p-2">
        <AccountMenu onHelp={onHelp} />
        <GatewayLine />
      </footer>
    </div>
  );
}

function Groups({ onGo }: { onGo?: (() => void) | undefined }) {
  const language = useLanguage();
  const titles = useMessages(groupTitles);
  const role = useSession()?.role;
  return GROUPS.map((group) => {
    const members = pages.filter((page) => page.group === group && role && page.roles.includes(role));
    if (members.length === 0) return null;
    return (
      <div key={group} className="pt-3">
        <h2 className="px-2 pb-1 text-2xs font-medium text-muted-foreground">{titles[group]}</h2>
        <ul>
          {members.map(({ route, title, icon: Icon }) => (
            <li key={route.fullPath}>
              <Link
                to={route.fullPath}
                onClick={onGo}
                activeOptions={{ includeSearch: false }}
                className="group flex h-8 items-center gap-2.5 rounded-md px-2 text-[0.8125rem] text-muted-foreground hover:bg-hover hover:text-foreground aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent max-md:h-10"
              >
                <Icon aria-hidden className="size-4 shrink-0" strokeWidth={1.75} />
                <span className="truncate">{title[language]}</span>
              </Link>
            </li>
          ))}
        </ul>
      </div>
    );
  });
}

/** How the gateway is, its version, and the time zone of what is shown. */
function GatewayLine() {
  const t = useMessages(shellMessages);
  const { data, isError } = useQuery(healthQuery);
  const isWell = data?.status === "ok" && !isError;
  const tone = !data && !isError ? "neutral" : isWell ? "ok" : "bad";
  return (
    <p className="flex items-center gap-2 px-2 pt-1.5 text-2xs text-muted-foreground">
      <Tooltip content={isWell ? t.healthy : t.unhealthy} side="right">
        <span tabIndex={0} className="inline-flex items-center gap-1.5 rounded">
          <Dot tone={tone} />
          <span className="sr-only">{isWell ? t.healthy : t.unhealthy}</span>
          {data && <span className="tabular-nums">v{data.version}</span>}
        </span>
      </Tooltip>
      <Tooltip content={t.timeZone} side="right">
        <span tabIndex={0} className="ml-auto truncate rounded">
          {TIME_ZONE}
        </span>
      </Tooltip>
    </p>
  );
}
