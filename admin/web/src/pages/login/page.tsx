// Login: one field.
import { useMutation } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { EyeIcon, EyeOffIcon } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";

import { describe } from "@/api/problem";
import { logIn } from "@/api/session";
import { Logo } from "@/components/logo";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { LANGUAGES, type Language, setLanguage, useLanguage, useMessages } from "@/lib/i18n";

import { Feeders } from "./feeders";
import { messages } from "./messages";

const route = getRouteApi("/login");

export function LoginPage() {
  const t = useMessages(messages);
  useEffect(() => {
    document.title = `${t.title} · Switchyard`;
  }, [t.title]);
  return (
    <main className="grid min-h-dvh lg:grid-cols-[1fr_1.1fr]">
      <div className="flex flex-col p-6 md:p-8">
        <div className="flex items-center gap-2.5">
          <Logo />
          <span className="text-[0.9375rem] font-semibold tracking-tight">Switchyard</span>
          <LanguageLinks />
        </div>
        <div className="m-auto w-full max-w-sm py-10">
          <h1 className="text-xl font-semibold tracking-tight">{t.title}</h1>
          <p className="mt-1 text-[0.8125rem] text-muted-foreground">{t.text}</p>
          <LoginForm />
        </div>
      </div>
      <aside className="relative hidden overflow-hidden border-l bg-surface lg:block">
        <Feeders />
        <p className="absolute inset-x-10 bottom-10 max-w-md text-lg leading-7 text-balance">{t.tagline}</p>
      </aside>
    </main>
  );
}

function LoginForm() {
  const t = useMessages(messages);
  const router = useRouter();
  const { next } = route.useSearch();
  const [key, setKey] = useState("");
  const [isShown, setIsShown] = useState(false);
  const login = useMutation({
    mutationFn: () => logIn(key.trim()),
    onSuccess: async () => {
      router.history.push(next ?? "/");
      await router.invalidate();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate();
  };
  return (
    <form onSubmit={submit} className="mt-6 space-y-4">
      <div className="space-y-1.5">
        <label htmlFor="key" className="text-[0.8125rem] font-medium">
          {t.key}
        </label>
        <div className="relative">
          <Input
            id="key"
            name="key"
            type={isShown ? "text" : "password"}
            autoComplete="current-password"
            autoFocus
            required
            spellCheck={false}
            value={key}
            onChange={(event) => setKey(event.target.value)}
            aria-invalid={login.isError}
            aria-describedby={login.isError ? "login-error" : undefined}
            className="h-10 pr-10 font-mono"
          />
          <Button
            look="ghost"
            size="icon"
            className="absolute top-1 right-1"
            aria-label={isShown ? t.hide : t.show}
            onClick={() => setIsShown(!isShown)}
          >
            {isShown ? <EyeOffIcon /> : <EyeIcon />}
          </Button>
        </div>
        {login.isError && (
          <p id="login-error" role="alert" className="text-[0.8125rem] text-bad">
            {describe(login.error)}
          </p>
        )}
      </div>
      <Button type="submit" look="primary" size="large" className="w-full" disabled={login.isPending}>
        {login.isPending ? t.submitting : t.submit}
      </Button>
      {!window.isSecureContext && (
        <p className="rounded-md bg-warn-soft px-3 py-2 text-xs text-pretty text-warn">{t.insecure}</p>
      )}
    </form>
  );
}

function LanguageLinks() {
  const current = useLanguage();
  return (
    <div className="ml-auto flex gap-1">
      {(Object.entries(LANGUAGES) as [Language, string][]).map(([code, name]) => (
        <Button key={code} look="ghost" size="small" lang={code} aria-pressed={code === current} className="aria-pressed:text-foreground" onClick={() => setLanguage(code)}>
          {name}
        </Button>
      ))}
    </div>
  );
}
