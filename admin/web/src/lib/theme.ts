// Dark, light, or as the system has it. public/theme.js does the same before the first paint.
import { createStored, useStore } from "./store";

export type Theme = "system" | "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");

export const theme = createStored<Theme>("theme", (stored) => (stored === "light" || stored === "dark" ? stored : "system"));

function apply(): void {
  const chosen = theme.get();
  document.documentElement.classList.toggle("dark", chosen === "dark" || (chosen === "system" && system.matches));
}

export function setTheme(next: Theme): void {
  theme.set(next);
  apply();
}

export function useTheme(): Theme {
  return useStore(theme);
}

system.addEventListener("change", apply);
