// Who is logged in; theme, language, help, and the way out.
import { useRouter } from "@tanstack/react-router";
import { BookOpenIcon, ChevronsUpDownIcon, KeyboardIcon, LogOutIcon, MonitorIcon, MoonIcon, SunIcon } from "lucide-react";

import { logOut, useSession } from "@/api/session";
import { Menu, MenuContent, MenuItem, MenuLabel, MenuRadio, MenuRadioGroup, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import { LANGUAGES, type Language, setLanguage, useLanguage, useMessages } from "@/lib/i18n";
import { type Theme, setTheme, useTheme } from "@/lib/theme";

import { shellMessages } from "./messages";
import { toast } from "./toasts";

const THEMES = [
  ["system", MonitorIcon],
  ["light", SunIcon],
  ["dark", MoonIcon],
] as const;

export function AccountMenu({ onHelp }: { onHelp: () => void }) {
  const t = useMessages(shellMessages);
  const session = useSession();
  const router = useRouter();
  const name = session?.me.user?.name ?? t.adminToken;
  const leave = async () => {
    try {
      await logOut();
      await router.invalidate();
    } catch (error) {
      toast.failed(error);
    }
  };
  return (
    <Menu>
      <MenuTrigger className="flex w-full items-center gap-2.5 rounded-md px-2 py-1.5 text-left hover:bg-hover">
        <span className="sr-only">{t.account}: </span>
        <span aria-hidden className="flex size-7 items-center justify-center rounded-md bg-accent-soft text-xs font-semibold text-accent uppercase">
          {Array.from(name)[0]}
        </span>
        <span className="min-w-0 flex-1">
          <span className="block truncate text-[0.8125rem] leading-4 font-medium">{name}</span>
          <span className="block truncate text-2xs text-muted-foreground">{session?.role === "admin" ? t.admin : t.user}</span>
        </span>
        <ChevronsUpDownIcon aria-hidden className="size-3.5 text-muted-foreground" />
      </MenuTrigger>
      <MenuContent align="start" side="top" className="w-56">
        <MenuLabel>{t.theme}</MenuLabel>
        <MenuRadioGroup value={useTheme()} onValueChange={(value) => setTheme(value as Theme)}>
          {THEMES.map(([value, Icon]) => (
            <MenuRadio key={value} value={value}>
              <Icon aria-hidden /> {t.themes[value]}
            </MenuRadio>
          ))}
        </MenuRadioGroup>
        <MenuSeparator />
        <LanguageChoice />
        <MenuSeparator />
        <MenuItem onSelect={onHelp}>
          <KeyboardIcon aria-hidden /> {t.shortcuts}
        </MenuItem>
        <MenuItem asChild>
          <a href="/api/v1/scalar" target="_blank" rel="noreferrer">
            <BookOpenIcon aria-hidden /> {t.apiReference}
          </a>
        </MenuItem>
        <MenuSeparator />
        <MenuItem onSelect={() => void leave()}>
          <LogOutIcon aria-hidden /> {t.logOut}
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}

function LanguageChoice() {
  const t = useMessages(shellMessages);
  return (
    <>
      <MenuLabel>{t.language}</MenuLabel>
      <MenuRadioGroup value={useLanguage()} onValueChange={(value) => setLanguage(value as Language)}>
        {Object.entries(LANGUAGES).map(([value, name]) => (
          <MenuRadio key={value} value={value} lang={value}>
            {name}
          </MenuRadio>
        ))}
      </MenuRadioGroup>
    </>
  );
}
