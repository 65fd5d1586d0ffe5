// Languages and typed message catalogues. A message that one language lacks is a type error.
import { createStored, useStore } from "./store";

export const LANGUAGES = { en: "English", zh: "简体中文" } as const;
export type Language = keyof typeof LANGUAGES;

interface Messages {
  readonly [key: string]: string | readonly string[] | ((...values: never[]) => string) | Messages;
}

/** The shape of a catalogue, with the words of one language forgotten. */
export type Worded<T> = T extends string
  ? string
  : T extends (...values: infer V) => string
    ? (...values: V) => string
    : { readonly [K in keyof T]: Worded<T[K]> };

export type Catalogue<M> = Readonly<Record<Language, M>>;
/** A single text in every language. */
export type Text = Readonly<Record<Language, string>>;

/** One user, two users: `count` is written already, in the reader's way. */
export function many(count: string, one: string, more = `${one}s`): string {
  return `${count} ${count === "1" ? one : more}`;
}

/** English leads: the other languages must have its keys, all and only. */
export function defineMessages<const T extends Messages>(messages: { en: T; zh: NoInfer<Worded<T>> }): Catalogue<Worded<T>> {
  return messages as unknown as Catalogue<Worded<T>>;
}

export const language = createStored<Language>("language", (stored) => {
  if (stored === "en" || stored === "zh") return stored;
  return /^zh/i.test(navigator.language) ? "zh" : "en";
});

/** Changes the language of the page. */
export function setLanguage(next: Language): void {
  language.set(next);
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
}

export function useLanguage(): Language {
  return useStore(language);
}

/** The messages in the reader's language. */
export function useMessages<M>(catalogue: Catalogue<M>): M {
  return catalogue[useLanguage()];
}

/** For what happens outside of components: toasts, errors. */
export function messagesNow<M>(catalogue: Catalogue<M>): M {
  return catalogue[language.get()];
}
