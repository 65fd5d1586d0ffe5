// A browser that notices everything that should not happen: messages in the console, answers above 400, pages wider than the screen.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync",
];
const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What a small laptop has: what fits there fits everywhere. */
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

export async function launch() {
  const executablePath = CHROMIUM.find((path) => path && existsSync(path));
  assert.ok(executablePath, "no Chromium; CHROMIUM may name one");
  return chromium.launch({ executablePath, args: FLAGS });
}

/** A fresh reader: nothing stored, a language, a theme, a screen. */
export async function open(browser, origin, { language = "en", theme = "light", viewport = DESKTOP, storageState } = {}) {
  const context = await browser.newContext({
    baseURL: origin, storageState, viewport, colorScheme: theme, locale: language === "zh" ? "zh-CN" : "en-US", timezoneId: "Europe/Berlin", reducedMotion: "reduce",
  });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const surprises = [];
  const expected = [];
  const isExpected = (text) => expected.some((pattern) => pattern.test(text));
  const note = (text) => !isExpected(text) && surprises.push(text);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && note(`console: ${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => note(`exception: ${error.message}`));
  page.on("requestfailed", (request) => request.failure()?.errorText !== "net::ERR_ABORTED" && note(`failed: ${request.url()}`));
  page.on("request", (request) => new URL(request.url()).origin !== origin && !request.url().startsWith("data:") && note(`elsewhere: ${request.url()}`));
  page.on("response", (response) => response.status() >= 400 && note(`${response.status()}: ${response.url()}`));
  return {
    page,
    /** What is meant to be refused. */
    expect: (pattern) => expected.push(pattern),
    /** Nothing happened that should not have. */
    assertQuiet: () => assert.deepEqual(surprises.splice(0), []),
    close: () => context.close(),
  };
}

export async function logIn(page, key) {
  await page.goto("/login");
  await page.locator("#key").fill(key);
  await page.locator("#key").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/login");
}

/** The page is there and shows what it has: a title, and no outline of something that is still to come. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector("h1") && !document.querySelector("[aria-busy=true], .animate-pulse"));
}

/** Nothing is wider than the page, and no table wider than its place. */
export async function assertFits(page) {
  const wide = await page.evaluate(() => {
    const tables = [...document.querySelectorAll("[role=table]")].map((table) => table.parentElement);
    return [document.documentElement, ...tables].filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ tagName, scrollWidth, clientWidth }) => `${tagName} is ${scrollWidth} px wide in a place of ${clientWidth}`);
  });
  assert.deepEqual(wide, [], page.url());
}

/** axe finds nothing serious. */
export async function assertAccessible(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ target, failureSummary }) => `${target} ${failureSummary}`).join(" | ")}`);
  assert.deepEqual(serious, [], page.url());
}
