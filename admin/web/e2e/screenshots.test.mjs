// Takes a picture of every page, with a month of a small company's traffic behind it. The pictures go to a temporary directory, so that this
// cannot rot; with UPDATE_SCREENSHOTS=1 they go to docs/screenshots.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { PHONE, assertFits, launch, logIn, open, settled } from "./browser.mjs";
import { startGateway } from "./gateway.mjs";
import { smaller } from "./png.mjs";
import { ask, breakOne, furnish, linger } from "./traffic.mjs";

const options = { timeout: 300_000 };
const DOCS = fileURLToPath(new URL("../../../docs/screenshots/", import.meta.url));
const MOST_BYTES = 3_000_000;

let gateway, browser, directory, people, stop, failover;
let bytes = 0;

before(async () => {
  directory = process.env.UPDATE_SCREENSHOTS ? DOCS : await mkdtemp(join(tmpdir(), "switchyard-pictures-"));
  await mkdir(directory, { recursive: true });
  gateway = await startGateway({ TZ: "Europe/Berlin" });
  browser = await launch();
  people = await furnish(gateway);
  await breakOne(gateway, people);
  await ask(gateway, people.filter(({ providerGroup }) => providerGroup !== "edge"), 2);
  const { items } = await gateway.admin("GET", `/requests?userId=${people[2].id}&limit=200`);
  for (const { id, status } of items) {
    if (status === 200 && (await gateway.admin("GET", `/requests/${id}`)).chain.length > 1) {
      failover = id;
      break;
    }
  }
  stop = await linger(gateway, people);
}, options);

after(async () => {
  await stop?.();
  await browser?.close();
  await gateway?.stop();
  if (directory && directory !== DOCS) await rm(directory, { recursive: true, force: true });
}, options);

/** What is shown, how, and by whom it is seen. Light and dark take turns. */
const PICTURES = [
  { name: "overview", theme: "dark", path: () => "/overview" },
  { name: "overview-month", theme: "light", path: () => "/overview?span=30d&by=model" },
  { name: "requests", theme: "light", path: () => "/requests" },
  { name: "request", theme: "dark", path: () => `/requests?user=${people[2].id}&request=${failover}`, isSheet: true },
  { name: "sessions", theme: "light", path: () => "/sessions" },
  { name: "leaderboard", theme: "dark", path: () => "/leaderboard?period=month" },
  { name: "users", theme: "light", path: () => "/users" },
  { name: "user", theme: "dark", path: () => `/users?user=${people[0].id}`, isSheet: true },
  { name: "key", theme: "light", path: () => `/users?newKey=${people[3].id}`, prepare: createKey },
  { name: "providers", theme: "dark", path: () => "/providers" },
  { name: "provider", theme: "light", path: () => "/providers?edit=1", isSheet: true },
  { name: "routing", theme: "dark", path: () => `/routing?model=claude-sonnet-4-5&key=${people[1].keyId}` },
  { name: "groups", theme: "light", path: () => "/routing?tab=groups" },
  { name: "prices", theme: "dark", path: () => "/prices?q=claude" },
  { name: "price", theme: "light", path: () => "/prices?q=claude-opus&model=claude-opus-4-5", isSheet: true },
  { name: "rules", theme: "dark", path: () => "/rules", prepare: tryRule },
  { name: "settings", theme: "light", path: () => "/settings" },
  { name: "audit", theme: "dark", path: () => "/audit" },
  { name: "system", theme: "light", path: () => "/system" },
  { name: "my-usage", theme: "dark", path: () => "/my-usage", key: () => people[0].key },
  { name: "guide", theme: "light", path: () => "/usage-doc", key: () => null },
  { name: "login", theme: "dark", path: () => "/login", key: () => null },
  { name: "notifications", theme: "light", path: () => "/notifications", prepare: addTargets },
  { name: "overview-zh", theme: "light", language: "zh", path: () => "/overview?span=7d&by=provider" },
  { name: "overview-phone", theme: "dark", viewport: PHONE, path: () => "/overview" },
  { name: "requests-phone", theme: "light", viewport: PHONE, path: () => "/requests" },
  { name: "my-usage-phone", theme: "light", viewport: PHONE, path: () => "/my-usage", key: () => people[0].key },
];

/** Everybody logs in once: the audit is in the pictures, too. */
const states = new Map();
async function loggedIn(key) {
  if (key && !states.has(key)) {
    const { page, close } = await open(browser, gateway.url);
    await logIn(page, key);
    states.set(key, await page.context().storageState());
    await close();
  }
  return states.get(key);
}

async function createKey(page) {
  await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("build server");
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await page.getByTestId("new-key").waitFor();
}

/** Late, so that the audit's picture is without them. No rule names them: nothing is ever sent. */
async function addTargets(page) {
  for (const target of [
    { name: "On call", kind: "slack", url: "https://hooks.slack.com/services/T0/B0/x" },
    { name: "平台值班", kind: "feishu", url: "https://open.feishu.cn/open-apis/bot/v2/hook/x", secret: "signed", language: "zh" },
    { name: "Platform channel", kind: "telegram", botToken: "1:x", chatId: "@platform" },
    { name: "Incident desk", kind: "webhook", url: "https://incidents.example.com/hooks/gateway", headers: { authorization: "x" } },
    { name: "Old group", kind: "dingtalk", url: "https://oapi.dingtalk.com/robot/send?access_token=x", isEnabled: false },
  ]) await gateway.admin("POST", "/notifications/targets", target);
  await page.reload();
  await page.getByText("Incident desk").waitFor();
}

async function tryRule(page) {
  await page.getByLabel("Failure's text").fill("invalid_request_error: prompt is too long: 214302 tokens > 200000 maximum");
  await page.getByRole("button", { name: "Try", exact: true }).click();
  await page.getByTestId("verdict").getByText("Status 413").waitFor();
}

for (const { name, theme, language = "en", viewport, path, isSheet, prepare, key = () => gateway.adminToken } of PICTURES) {
  test(`a picture: ${name}`, options, async (t) => {
    const { page, assertQuiet, close } = await open(browser, gateway.url, { theme, language, viewport, storageState: await loggedIn(key()) });
    t.after(close);
    await page.goto(path());
    await settled(page);
    if (isSheet) await page.getByRole("dialog").waitFor();
    await prepare?.(page);
    await settled(page);
    await page.evaluate(async () => {
      await document.fonts.ready;
      await Promise.all(document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime < Infinity).map(({ finished }) => finished));
    });
    await page.mouse.move(0, 0);
    await assertFits(page);
    const picture = smaller(await page.screenshot({ animations: "disabled", caret: "hide" }));
    await writeFile(join(directory, `${name}.png`), picture);
    bytes += picture.length;
    t.diagnostic(`${(picture.length / 1024).toFixed(0)} KiB`);
    assertQuiet();
  });
}

test("the pictures are small enough to be kept", () => {
  assert.ok(bytes > 0 && bytes < MOST_BYTES, `${bytes} bytes`);
});
