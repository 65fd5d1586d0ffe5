// The command palette: every page, provider and command by its name, a request by its id.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { ArrowRightIcon, KeyboardIcon, LanguagesIcon, LogOutIcon, MonitorIcon, MoonIcon, ServerIcon, SunIcon } from "lucide-react";
import { Dialog } from "radix-ui";
import { type ReactNode, useState } from "react";

import { providersQuery } from "@/api/providers";
import { logOut, useSession } from "@/api/session";
import { LANGUAGES, setLanguage, useLanguage, useMessages } from "@/lib/i18n";
import { setTheme } from "@/lib/theme";
import { pages } from "@/pages";

import { shellMessages } from "./messages";
import { router } from "./router";
import { toast } from "./toasts";

const REQUEST_ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

interface Props {
  onClose: () => void;
  onHelp: () => void;
}

export default function Palette({ onClose, onHelp }: Props) {
  const t = useMessages(shellMessages);
  const language = useLanguage();
  const navigate = useNavigate();
  const role = useSession()?.role;
  const isAdmin = role === "admin";
  const [text, setText] = useState("");
  const providers = useQuery({ ...providersQuery, enabled: isAdmin }).data ?? [];
  const run = (action: () => void) => () => {
    onClose();
    action();
  };
  const id = text.trim();
  const other = language === "en" ? "zh" : "en";
  const leave = () => void logOut().then(() => router.invalidate(), toast.failed);
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-[fade-in_100ms] bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[12dvh] left-1/2 z-50 w-[calc(100vw-1.5rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-xl border bg-raised shadow-raised outline-none"
        >
          <Dialog.Title className="sr-only">{t.palette}</Dialog.Title>
          <Command label={t.palette} loop>
            <Command.Input
              autoFocus
              value={text}
              onValueChange={setText}
              placeholder={t.paletteHint}
              className="h-12 w-full border-b bg-transparent px-4 text-[0.9375rem] outline-none placeholder:text-muted-foreground"
            />
            <Command.List className="max-h-[55dvh] overflow-y-auto overscroll-contain p-1.5">
              <Command.Empty className="py-10 text-center text-[0.8125rem] text-muted-foreground">{t.nothingFound}</Command.Empty>
              {REQUEST_ID.test(id) && (
                <Item value={id} icon={<ArrowRightIcon />} onSelect={run(() => void navigate({ to: "/requests", search: { request: id } }))}>
                  {t.openRequest(id.slice(0, 8))}
                </Item>
              )}
              <Group heading={t.goTo}>
                {pages
                  .filter((page) => role && page.roles.includes(role))
                  .map(({ route, title, icon: Icon, words, letter }) => (
                    <Item
                      key={route.fullPath}
                      value={`${Object.values(title).join(" ")} ${words ?? ""}`}
                      icon={<Icon />}
                      hint={`G ${letter.toUpperCase()}`}
                      onSelect={run(() => void navigate({ to: route.fullPath }))}
                    >
                      {title[language]}
                    </Item>
                  ))}
              </Group>
              {id && providers.length > 0 && (
                <Group heading={t.providers}>
                  {providers.map((provider) => (
                    <Item
                      key={provider.id}
                      value={`${provider.name} ${provider.type} ${provider.id}`}
                      icon={<ServerIcon />}
                      hint={provider.type}
                      onSelect={run(() => void navigate({ to: "/providers", search: { edit: provider.id } }))}
                    >
                      {provider.name}
                    </Item>
                  ))}
                </Group>
              )}
              <Group heading={t.commands}>
                <Item value={`theme light ${t.themes.light}`} icon={<SunIcon />} onSelect={run(() => setTheme("light"))}>{`${t.theme}: ${t.themes.light}`}</Item>
                <Item value={`theme dark ${t.themes.dark}`} icon={<MoonIcon />} onSelect={run(() => setTheme("dark"))}>{`${t.theme}: ${t.themes.dark}`}</Item>
                <Item value={`theme system ${t.themes.system}`} icon={<MonitorIcon />} onSelect={run(() => setTheme("system"))}>{`${t.theme}: ${t.themes.system}`}</Item>
                <Item value={`language ${LANGUAGES[other]} 语言`} icon={<LanguagesIcon />} onSelect={run(() => setLanguage(other))}>{LANGUAGES[other]}</Item>
                <Item value={`keyboard shortcuts help ${t.shortcuts}`} icon={<KeyboardIcon />} hint="?" onSelect={onHelp}>{t.shortcuts}</Item>
                <Item value={`log out ${t.logOut}`} icon={<LogOutIcon />} onSelect={run(leave)}>{t.logOut}</Item>
              </Group>
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Group({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group heading={heading} className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-2xs [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-muted-foreground">
      {children}
    </Command.Group>
  );
}

interface ItemProps {
  value: string;
  icon: ReactNode;
  hint?: string;
  onSelect: () => void;
  children: ReactNode;
}

function Item({ value, icon, hint, onSelect, children }: ItemProps) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      className="flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 text-[0.8125rem] data-[selected=true]:bg-hover [&_svg]:size-4 [&_svg]:text-muted-foreground"
    >
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {hint && <span className="text-2xs text-muted-foreground">{hint}</span>}
    </Command.Item>
  );
}
