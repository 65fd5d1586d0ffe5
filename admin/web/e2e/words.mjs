// The words of the page, from its own catalogues: what a test looks for in each language, and what a page in another language must not show.
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build } from "esbuild";

const SOURCE = fileURLToPath(new URL("../src", import.meta.url));

/** Latin words that a Chinese page may show: names, and what has no other name. Data that a test makes is the test's to name. */
const TERMS = new Set(
  `AI API Anthropic Chrome JavaScript PowerShell npm Assist Bearer Bot BotFather CLI CSV Chat Claude Code Codex Completions Cookie English Gemini Gen Google HTTP HTTPS IANA ID IP JSON
  LiteLLM Linux Messages OpenAI OpenAPI OpenCode PgSQL Ping PostgreSQL Python Redis Responses SDK SQLite SSE Scalar Slack Swagger Switchyard TCP TLS TTFT Telegram Token
  UI URL USD User-Agent UTC Webhook Windows X-Forwarded-For curl default generateContent http https macOS ping shell socks p k K M B KB KiB MiB GiB ms s m h v x`.split(/\s+/),
);
/** The same, of several words or with a sign in it. */
const NAMES = ["sk-", "claude-cli", "claude-code", "Python · anthropic", "Python · openai", "Python · google-genai", "JavaScript · @anthropic-ai/sdk", "JavaScript · openai", "JavaScript · @google/genai"];
/** What is shown as it is written elsewhere. */
const QUOTED = "code, pre, kbd, samp, body [lang], [translate=no], .font-mono, script, style, noscript, title";

/** Every catalogue passes through here on its way. */
const recorder = {
  name: "recorder",
  setup({ onLoad }) {
    onLoad({ filter: /src\/lib\/i18n\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const recorded = text.replace("return messages as", "(globalThis.catalogues ??= []).push(messages);\n  return messages as");
      assert.notEqual(recorded, text, "defineMessages is not what it was");
      return { contents: recorded, loader: "ts" };
    });
  },
};

async function load() {
  const files = (await readdir(SOURCE, { recursive: true })).filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".d.ts")).sort();
  const texts = await Promise.all(files.map((path) => readFile(join(SOURCE, path), "utf8")));
  const defining = files.filter((_, at) => /\bdefineMessages\(\{/.test(texts[at]));
  const entry = [...defining.map((path, at) => `export * as c${at} from "@/${path}";`), `export { pages } from "@/pages";`].join("\n");
  const out = await mkdtemp(join(tmpdir(), "switchyard-words-"));
  try {
    const outfile = join(out, "words.mjs");
    await build({
      stdin: { contents: entry, resolveDir: SOURCE, loader: "ts" },
      outfile, bundle: true, format: "esm", platform: "node", charset: "utf8", jsx: "automatic", alias: { "@": SOURCE }, plugins: [recorder],
      loader: { ".css": "empty" }, banner: { js: 'globalThis.navigator ??= { language: "en" };' }, logLevel: "warning",
    });
    const found = await import(pathToFileURL(outfile).href);
    const ofPages = Object.fromEntries(found.pages.map(({ route, title }) => [route.options.path, title]));
    const named = Object.fromEntries(defining.map((path, at) => [path.replace(/\.tsx?$/, ""), Object.values(found[`c${at}`]).find((each) => each?.zh)]));
    return { all: [...globalThis.catalogues, { en: mapped(ofPages, "en"), zh: mapped(ofPages, "zh") }], titles: ofPages, named };
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

const mapped = (titles, language) => Object.fromEntries(Object.entries(titles).map(([path, title]) => [path, title[language]]));

/** Both languages' texts of a catalogue, side by side. A text made of values is made of sevens. */
function* pairs(en, zh, path = []) {
  if (typeof en === "function") yield* pairs(made(en), made(zh), path);
  else if (typeof en === "string") yield { en, zh, path: path.join(".") };
  else for (const key of Object.keys(en)) yield* pairs(en[key], zh[key], [...path, key]);
}

const made = (text) => {
  try {
    return text(...Array(text.length).fill(7));
  } catch {
    return text(...Array(text.length).fill("7"));
  }
};

const loading = load();

/** Every text of the page in both languages. */
export async function everyText() {
  return (await loading).all.flatMap(({ en, zh }) => [...pairs(en, zh)]);
}

/** The page's words in a language. */
export async function wordsIn(language) {
  const { titles, named } = await loading;
  const known = new Map();
  for (const { en, zh } of await everyText()) known.set(en, (known.get(en) ?? new Set()).add(zh));
  return {
    /** A text by what it is in English. Where that stands for several things, `catalogue` has it. */
    say(english) {
      const found = [...(known.get(english) ?? [])];
      assert.equal(found.length, 1, `${english} is ${found.length === 0 ? "no text of the page" : `this and that: ${found.join(", ")}`}`);
      return language === "en" ? english : found[0];
    },
    /** The texts that a file of the page defines. */
    catalogue(path) {
      assert.ok(named[path], `${path} has no texts`);
      return named[path][language];
    },
    /** What a page is called. */
    title: (path) => titles[path][language],
  };
}

/** Words of a text that stand in no Chinese page. What has digits or signs in it is a name that somebody gave. */
export function foreign(text, data = []) {
  const own = [...data, ...NAMES].reduce((rest, each) => rest.replaceAll(each, " "), text);
  const words = own.split(/[^\x21-\x7e]+/).filter((word) => !/\d|[_@/{}=<>]|\.\w|\w:\w/.test(word.replace(/[.:,;]+$/, "")));
  return words.flatMap((word) => (TERMS.has(word) ? [] : (word.match(/[A-Za-z]+(?:['’][a-z]+)?/g) ?? []))).filter((word) => !TERMS.has(word));
}

/** Nothing on a Chinese page is in English, but names, and the test's own data. */
export async function assertTranslated(page, data = []) {
  const texts = await page.evaluate((quoted) => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
      if (element.closest(quoted)) continue;
      if (node.nodeType === Node.TEXT_NODE) found.push(node.data);
      else for (const name of ["aria-label", "aria-description", "title", "alt", "placeholder"]) if (node.hasAttribute(name)) found.push(node.getAttribute(name));
    }
    return found;
  }, QUOTED);
  const wrong = texts.map((text) => [text.trim(), foreign(text, data)]).filter(([, words]) => words.length > 0);
  assert.deepEqual(Object.fromEntries(wrong), {}, page.url());
}
