// A page that fills the screen and scrolls within: what is one table.
import type { ReactNode } from "react";

export function FullPage({ children }: { children: ReactNode }) {
  return <div className="flex h-dvh min-w-0 flex-col max-md:h-[calc(100dvh-3rem)]">{children}</div>;
}
