// The frame around every page of those who are logged in.
import { Outlet, useNavigate } from "@tanstack/react-router";
import { MenuIcon } from "lucide-react";
import { Dialog } from "radix-ui";
import { Suspense, lazy, useState } from "react";

import { useSession } from "@/api/session";
import { Logo } from "@/components/logo";
import { Button } from "@/components/ui/button";
import { useLanguage, useMessages } from "@/lib/i18n";
import { pages } from "@/pages";

import { shellMessages } from "./messages";
import { type Shortcut, useKeyboard, useShortcuts } from "./shortcuts";
import { Sidebar } from "./sidebar";

const Palette = lazy(() => import("./palette"));
const ShortcutHelp = lazy(() => import("./shortcut-help"));

type Overlay = "palette" | "help" | "navigation" | null;

export function Shell() {
  const t = useMessages(shellMessages);
  const [overlay, setOverlay] = useState<Overlay>(null);
  const close = () => setOverlay(null);
  useKeyboard();
  useShellShortcuts(setOverlay);
  return (
    <div className="flex min-h-dvh">
      <a href="#content" className="sr-only z-60 rounded-md bg-raised px-3 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2">
        {t.skip}
      </a>
      <aside className="sticky top-0 hidden h-dvh w-56 shrink-0 border-r bg-background md:block">
        <Sidebar onSearch={() => setOverlay("palette")} onHelp={() => setOverlay("help")} />
      </aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="sticky top-0 z-30 flex h-12 shrink-0 items-center gap-2 border-b bg-background/90 px-3 backdrop-blur md:hidden">
          <Button look="ghost" size="icon" aria-label={t.openNavigation} onClick={() => setOverlay("navigation")}>
            <MenuIcon />
          </Button>
          <Logo className="size-5" />
          <span className="font-semibold tracking-tight">Switchyard</span>
        </div>
        <main id="content" tabIndex={-1} className="flex min-w-0 flex-1 flex-col outline-none">
          <Outlet />
        </main>
      </div>
      <Dialog.Root open={overlay === "navigation"} onOpenChange={(open) => !open && close()}>
        <Dialog.Portal>
          <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
          <Dialog.Content aria-describedby={undefined} className="fixed inset-y-0 left-0 z-50 w-64 animate-[fade-in_120ms] border-r bg-background">
            <Dialog.Title className="sr-only">{t.navigation}</Dialog.Title>
            <Sidebar onSearch={() => setOverlay("palette")} onHelp={() => setOverlay("help")} onGo={close} />
          </Dialog.Content>
        </Dialog.Portal>
      </Dialog.Root>
      <Suspense>
        {overlay === "palette" && <Palette onClose={close} onHelp={() => setOverlay("help")} />}
        {overlay === "help" && <ShortcutHelp onClose={close} />}
      </Suspense>
    </div>
  );
}

/** Those that hold on every page. */
function useShellShortcuts(open: (overlay: Overlay) => void): void {
  const t = useMessages(shellMessages);
  const language = useLanguage();
  const navigate = useNavigate();
  const role = useSession()?.role;
  const visible = pages.filter((page) => role && page.roles.includes(role));
  const go: Shortcut[] = visible.map((page) => ({
    keys: `g ${page.letter}`,
    text: page.title[language],
    run: () => void navigate({ to: page.route.fullPath }),
  }));
  useShortcuts([
    { keys: "mod+k", text: t.palette, run: () => open("palette") },
    { keys: "?", text: t.showHelp, run: () => open("help") },
    ...go,
  ]);
}
