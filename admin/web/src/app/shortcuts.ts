// The keyboard: `/` to search, `g` and a letter to go, `?` for help, Ctrl/Cmd-K for the palette, and what pages add.
import { useEffect, useRef } from "react";

import { createStore, useStore } from "@/lib/store";

export interface Shortcut {
  /** As it is pressed: `n`, `?`, `g r`, `mod+k`. */
  keys: string;
  /** What it does, in words; those without are not in the help. */
  text?: string;
  run: () => void;
}

const registered = createStore<readonly Shortcut[]>([]);
/** How long after `g` a letter still belongs to it. */
const SEQUENCE_MS = 1200;

/** Whether typing belongs to a field. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Registers shortcuts for as long as the component lives; the newest wins. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  const signature = JSON.stringify(shortcuts.map(({ keys, text }) => [keys, text]));
  useEffect(() => {
    const mine = latest.current.map((shortcut) => ({
      ...shortcut,
      run: () => latest.current.find(({ keys }) => keys === shortcut.keys)?.run(),
    }));
    registered.set([...mine, ...registered.get()]);
    return () => registered.set(registered.get().filter((shortcut) => !mine.includes(shortcut)));
  }, [signature]);
}

export function useRegisteredShortcuts(): readonly Shortcut[] {
  return useStore(registered);
}

/** Listens; the shell calls it once. */
export function useKeyboard(): void {
  useEffect(() => {
    let prefix = "";
    let prefixAt = 0;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey || event.isComposing) return;
      const isMod = event.metaKey || event.ctrlKey;
      if (!isMod && (isTyping(event.target) || document.querySelector("[role=dialog],[role=menu]"))) return;
      const started = Date.now() - prefixAt < SEQUENCE_MS ? prefix : "";
      const keys = isMod ? `mod+${event.key.toLowerCase()}` : started + event.key;
      prefix = "";
      const shortcut = registered.get().find((candidate) => candidate.keys === keys);
      if (shortcut) {
        event.preventDefault();
        shortcut.run();
      } else if (!isMod && registered.get().some((candidate) => candidate.keys.startsWith(`${event.key} `))) {
        prefix = `${event.key} `;
        prefixAt = Date.now();
      }
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}
