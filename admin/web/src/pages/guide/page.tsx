// How to point programs at this gateway. Open to everybody; the key that fills the snippets never leaves the page.
import { Link, getRouteApi } from "@tanstack/react-router";
import { ArrowRightIcon, MoonIcon, SunIcon } from "lucide-react";
import { useEffect, useState } from "react";

import { useSession } from "@/api/session";
import { useIsDark } from "@/components/chart/colors";
import { CodeBlock } from "@/components/code-block";
import { CopyButton } from "@/components/copy-button";
import { Field } from "@/components/form/field";
import { Logo } from "@/components/logo";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Segmented } from "@/components/ui/tabs";
import { LANGUAGES, setLanguage, useLanguage, useMessages } from "@/lib/i18n";
import { KEY_PLACE, type Platform, platformHere, PLATFORMS, type Program, snippetsFor, type Target } from "@/lib/setup";
import { setTheme } from "@/lib/theme";

import { messages } from "./messages";
import { guide } from "./route";

const route = getRouteApi("/usage-doc");

const GROUPS = [
  { name: "agents", programs: ["claude", "codex", "gemini"] },
  { name: "sdks", programs: ["anthropic", "openai", "google"] },
  { name: "http", programs: ["curl"] },
] as const satisfies readonly { name: string; programs: readonly Program[] }[];

type Step = "install" | "configure" | "or" | "variable" | "auth" | "tryIt";
/** What each snippet of an agent is for. */
const STEPS: Partial<Record<Program, readonly Step[]>> = {
  claude: ["install", "configure", "or", "tryIt"],
  codex: ["install", "configure", "variable", "tryIt"],
  gemini: ["install", "configure", "auth", "tryIt"],
};

export function GuidePage() {
  const t = useMessages(messages);
  const language = useLanguage();
  const navigate = route.useNavigate();
  const { os = platformHere() } = route.useSearch();
  const [key, setKey] = useState("");
  useEffect(() => {
    document.title = `${guide.title[language]} · Switchyard`;
  }, [language]);
  const target = { origin: window.location.origin, key: key.trim() || KEY_PLACE, platform: os };
  return (
    <div className="min-h-dvh">
      <TopBar />
      <div className="mx-auto grid max-w-6xl gap-x-12 px-4 pb-24 md:px-6 lg:grid-cols-[11rem_minmax(0,1fr)]">
        <Contents />
        <main id="content" className="min-w-0 pt-8 lg:pt-12">
          <h1 className="text-2xl font-semibold tracking-tight text-balance">{t.title}</h1>
          <p className="mt-2 max-w-2xl text-[0.9375rem] leading-6 text-balance text-muted-foreground">{t.text}</p>
          <div className="mt-6 grid items-start gap-4 rounded-xl border bg-surface p-4 sm:grid-cols-2">
            <div className="min-w-0 space-y-1">
              <p className="text-[0.8125rem] font-medium">{t.address}</p>
              <p className="flex h-8 items-center rounded-md border bg-muted pr-0.5 pl-2.5 font-mono text-[0.8125rem]">
                <span className="min-w-0 flex-1 truncate">{target.origin}</span>
                <CopyButton text={target.origin} label={t.copyAddress} />
              </p>
            </div>
            <Field label={t.key} help={t.keyHelp}>
              {(wiring) => (
                <Input {...wiring} value={key} onChange={(event) => setKey(event.target.value)} placeholder={KEY_PLACE} autoComplete="off" spellCheck={false} className="font-mono" />
              )}
            </Field>
          </div>
          <div className="sticky top-12 z-10 -mx-4 mt-6 border-b bg-background/95 px-4 py-2 backdrop-blur md:-mx-6 md:px-6">
            <Segmented<Platform>
              label={t.os}
              value={os}
              options={PLATFORMS.map((value) => ({ value, label: t.platforms[value] }))}
              onChange={(next) => void navigate({ search: { os: next }, replace: true, resetScroll: false })}
            />
          </div>
          {GROUPS.map(({ name, programs }) => (
            <div key={name}>
              {programs.map((program) => (
                <section key={program} id={program} aria-labelledby={`${program}-title`} className="scroll-mt-28 pt-10">
                  <h2 id={`${program}-title`} className="text-lg font-semibold tracking-tight">{t.programs[program]}</h2>
                  <p className="mt-1 max-w-2xl text-[0.8125rem] text-pretty text-muted-foreground">{t.about[program]}</p>
                  <Snippets program={program} target={target} />
                </section>
              ))}
            </div>
          ))}
          <Trouble />
        </main>
      </div>
    </div>
  );
}

interface SnippetsProps {
  program: Program;
  target: Target;
}

function Snippets({ program, target }: SnippetsProps) {
  const t = useMessages(messages);
  const snippets = snippetsFor(program, target);
  const steps = STEPS[program];
  if (!steps) {
    return (
      <div className="mt-4 grid gap-3 xl:grid-cols-2">
        {snippets.map(({ title, text }) => (
          <CodeBlock key={title} title={title} text={text} />
        ))}
      </div>
    );
  }
  return (
    <ol className="mt-4 space-y-4">
      {snippets.map(({ title, text }, at) => (
        <li key={title} className="grid gap-x-4 gap-y-1.5 sm:grid-cols-[8.5rem_minmax(0,1fr)]">
          <p className="flex items-baseline gap-2 text-[0.8125rem] sm:pt-1.5">
            <span className="text-xs text-muted-foreground tabular-nums">{at + 1}</span>
            {steps[at] && t.steps[steps[at]]}
          </p>
          <CodeBlock title={title} text={text} />
        </li>
      ))}
    </ol>
  );
}

function TopBar() {
  const t = useMessages(messages);
  const language = useLanguage();
  const session = useSession();
  const isDark = useIsDark();
  const other = language === "en" ? "zh" : "en";
  return (
    <header className="sticky top-0 z-20 flex h-12 items-center gap-2.5 border-b bg-background/95 px-4 backdrop-blur md:px-6">
      <Logo className="size-5" />
      <span className="font-semibold tracking-tight">Switchyard</span>
      <span className="text-muted-foreground max-sm:hidden">{guide.title[language]}</span>
      <div className="ml-auto flex items-center gap-1">
        <Button look="ghost" size="small" lang={other === "zh" ? "zh-CN" : "en"} onClick={() => setLanguage(other)}>{LANGUAGES[other]}</Button>
        <Button look="ghost" size="icon-small" aria-label={isDark ? t.light : t.dark} onClick={() => setTheme(isDark ? "light" : "dark")}>
          {isDark ? <SunIcon /> : <MoonIcon />}
        </Button>
        <Button asChild size="small">
          <Link to={session ? "/" : "/login"}>
            {session ? t.dashboard : t.logIn} <ArrowRightIcon />
          </Link>
        </Button>
      </div>
    </header>
  );
}

function Contents() {
  const t = useMessages(messages);
  return (
    <nav aria-label={t.contents} className="max-lg:hidden">
      <div className="sticky top-24 space-y-4 pt-2 text-[0.8125rem]">
        {GROUPS.map(({ name, programs }) => (
          <div key={name}>
            <p className="pb-1 text-2xs font-medium text-muted-foreground">{t.groups[name]}</p>
            <ul className="border-l">
              {programs.map((program) => (
                <li key={program}>
                  <a href={`#${program}`} className="-ml-px block border-l border-transparent py-1 pl-3 text-muted-foreground hover:border-foreground hover:text-foreground">
                    {t.programs[program]}
                  </a>
                </li>
              ))}
            </ul>
          </div>
        ))}
        <a href="#trouble" className="block text-muted-foreground hover:text-foreground">{t.trouble}</a>
      </div>
    </nav>
  );
}

function Trouble() {
  const t = useMessages(messages);
  return (
    <section id="trouble" aria-labelledby="trouble-title" className="scroll-mt-28 pt-12">
      <h2 id="trouble-title" className="text-lg font-semibold tracking-tight">{t.trouble}</h2>
      <dl className="mt-4 divide-y divide-border/60 border-y border-border/60 text-[0.8125rem]">
        {Object.entries(t.troubles).map(([status, text]) => (
          <div key={status} className="flex gap-4 py-2.5">
            <dt className="w-10 shrink-0 font-mono font-medium">{status}</dt>
            <dd className="text-pretty text-muted-foreground">{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
