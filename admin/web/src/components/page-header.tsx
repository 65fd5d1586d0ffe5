// The head of a page: its name, what it is about, what one can do.
import type { ReactNode } from "react";
import { useEffect } from "react";

interface Props {
  title: string;
  text?: ReactNode;
  children?: ReactNode;
}

export function PageHeader({ title, text, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Switchyard`;
  }, [title]);
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 pt-5 pb-3 md:px-6">
      <div className="min-w-0 flex-1 basis-48">
        <h1 className="text-lg leading-7 font-semibold tracking-tight">{title}</h1>
        {text && <p className="text-[0.8125rem] text-muted-foreground">{text}</p>}
      </div>
      {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  );
}
