// The dashboard in a browser, against the real gateway.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { DESKTOP, PHONE, assertAccessible, assertFits, launch, logIn, open, settled } from "./browser.mjs";
import { eventually, startGateway } from "./gateway.mjs";
import { assertTranslated } from "./words.mjs";

const MOST_SCRIPT_BYTES = 250 * 1024;
/** Until the overview is whole, on loopback. */
const USABLE_MS = 1000;
const options = { timeout: 120_000 };
/** Every page of an admin, and what opens beside it. */
const PAGES = [
  "/overview", "/overview?span=30d&by=model&measure=tokens",
  "/requests", "/sessions", "/sessions?tab=logins",
  "/leaderboard?period=month", "/leaderboard?by=model&sort=requests",
  "/users", "/users?user=1", "/users?create=true", "/users?newKey=1",
  "/providers", "/providers?create=true",
  "/routing", "/routing?model=claude-sonnet-4-5&key=1", "/routing?tab=groups",
  "/prices", "/prices?view=unpriced", "/prices?set=true", "/prices?model=claude-opus-4-5", "/prices?task=import", "/prices?task=sync", "/prices?task=reprice",
  "/rules", "/rules?create=true",
  "/notifications", "/notifications?create=true", "/notifications?tab=rules", "/notifications?tab=rules&create=true", "/notifications?tab=deliveries",
  "/settings", "/system", "/audit",
  "/my-usage",
  "/nothing-here",
];

let gateway, browser, key;

before(async () => {
  gateway = await startGateway();
  browser = await launch();
  const user = await gateway.admin("POST", "/users", { name: "mira" });
  ({ key } = await gateway.admin("POST", `/users/${user.id}/keys`, { name: "laptop", canLoginWebUi: true }));
  await gateway.admin("POST", "/providers", { name: "main", type: "claude", url: gateway.mockUrl, apiKey: "upstream", weight: 50 });
  await gateway.admin("POST", "/providers", { name: "backup", type: "claude", url: `${gateway.mockUrl}/~status=529`, apiKey: "upstream", groupTags: ["default"] });
}, options);

after(async () => {
  await browser?.close();
  await gateway?.stop();
}, options);

/** A reader for one test. */
async function reader(t, choices) {
  const opened = await open(browser, gateway.url, choices);
  t.after(() => opened.close());
  return opened;
}

test("the first load is small, comes compressed, and is there at once", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  assert.equal((await gateway.ask(key, "claude-sonnet-4-5")).status, 200);
  await eventually(async () => (await gateway.admin("GET", "/usage/totals")).requests > 0);
  const sizes = [];
  const headers = [];
  page.on("response", (response) => {
    if (!/^\/assets\/.*\.js$/.test(new URL(response.url()).pathname)) return;
    sizes.push(response.request().sizes().then(({ responseBodySize }) => responseBodySize));
    headers.push(response.headers());
  });
  const kept = async () => (await Promise.all(sizes.splice(0))).reduce((sum, size) => sum + size, 0);
  await logIn(page, gateway.adminToken);
  await page.getByRole("img", { name: /^Cost over time/ }).waitFor();
  await settled(page);
  await kept();
  // What a browser that has nothing fetches for the first page there is: the overview with its chart.
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.clearBrowserCache");
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
  await page.reload();
  await page.getByRole("img", { name: /^Cost over time/ }).waitFor();
  await settled(page);
  const total = await kept();
  assert.ok(total > 50 * 1024 && total < MOST_SCRIPT_BYTES, `${total} bytes`);
  const times = [];
  // What holds a machine up for a while is not the page's doing.
  while (times.length < 3 || (times.length < 12 && Math.min(...times) >= 3 * USABLE_MS)) {
    await page.reload({ waitUntil: "commit" });
    await page.getByRole("img", { name: /^Cost over time/ }).waitFor();
    await settled(page);
    times.push(Math.round(await page.evaluate(() => performance.now())));
  }
  t.diagnostic(`${(total / 1024).toFixed(0)} KiB of script to the overview, usable after ${Math.min(...times)} ms`);
  for (const each of headers) {
    assert.match(each["cache-control"], /immutable/);
    // A chunk of a few hundred bytes would not get smaller.
    if (Number(each["content-length"]) > 1024) assert.equal(each["content-encoding"], "br");
  }
  // 1 s is promised; a machine that does other things meanwhile may take longer.
  assert.ok(Math.min(...times) < 3 * USABLE_MS, `${times}`);
  assertQuiet();
});

test("a wrong key is told so, a right one leads on to where one wanted to go", options, async (t) => {
  const { page, expect, assertQuiet } = await reader(t);
  await page.goto("/providers?q=backup");
  await page.waitForURL(/\/login\?next=/);
  assertQuiet();
  expect(/401/);
  await page.locator("#key").fill("sk-wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").waitFor();
  await page.locator("#key").fill(gateway.adminToken);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL("**/providers?q=backup");
  await page.reload();
  await page.getByText("1 of 2", { exact: false }).or(page.getByText("2 of 2", { exact: false })).waitFor();
  assert.equal(await page.getByRole("row").count(), 2, "the head and the one that fits");
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.waitForURL(/\/login/);
  assertQuiet();
});

test("a provider is added, its mistakes named at their fields, edited in place, put back, and deleted", options, async (t) => {
  const { page, expect, assertQuiet } = await reader(t);
  await logIn(page, gateway.adminToken);
  await page.goto("/providers");
  await page.getByText("backup").first().waitFor();
  await page.keyboard.press("n");
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Name", { exact: true }).fill("extra");
  await sheet.getByLabel("Address", { exact: true }).fill("ftp://example.com");
  await sheet.getByLabel("Credential").fill("upstream-secret");
  await sheet.getByLabel("Weight").fill("400");
  await page.evaluate(() => (document.querySelector("form").noValidate = true));
  expect(/422/);
  await sheet.getByRole("button", { name: "Add provider" }).click();
  await sheet.locator("[name=url][aria-invalid=true]").waitFor();
  await sheet.locator("[name=weight][aria-invalid=true]").waitFor();
  await assertAccessible(page);
  await sheet.getByLabel("Address", { exact: true }).fill(gateway.mockUrl);
  await sheet.getByLabel("Weight").fill("4");
  await sheet.getByRole("button", { name: "Add provider" }).click();
  await page.getByText("extra is added").waitFor();
  await sheet.waitFor({ state: "detached" });

  const priority = page.getByLabel("Priority of extra");
  await priority.fill("7");
  await priority.press("Enter");
  await page.getByText("extra: priority is 7").waitFor();
  const stored = async () => (await gateway.admin("GET", "/providers?q=extra")).items[0];
  assert.equal((await stored()).priority, 7);
  assert.equal((await stored()).weight, 4);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.waitForFunction(() => document.querySelector("[aria-label='Priority of extra']").value === "0");
  await eventually(async () => (await stored()).priority === 0);

  await page.getByLabel("extra is switched on").click();
  await page.getByText("extra is off").waitFor();
  assert.equal((await stored()).isEnabled, false);

  await page.getByRole("button", { name: "Actions for extra" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("extra is deleted").waitFor();
  assert.equal(await stored(), undefined);
  assertQuiet();
});

test("two who edit the same provider do not overwrite each other", options, async (t) => {
  const { page, expect, assertQuiet } = await reader(t);
  const { items } = await gateway.admin("GET", "/providers?q=backup");
  await logIn(page, gateway.adminToken);
  await page.goto(`/providers?edit=${items[0].id}`);
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Note").fill("mine");
  await gateway.admin("PATCH", `/providers/${items[0].id}`, { note: "theirs" });
  expect(/412/);
  await sheet.getByRole("button", { name: "Save" }).click();
  await sheet.getByRole("button", { name: "Load the new version" }).click();
  await page.waitForFunction(() => document.querySelector("[name=note]").value === "theirs");
  assertQuiet();
});

test("a request appears by itself and its way can be followed", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  await logIn(page, gateway.adminToken);
  await page.goto("/requests?model=claude-live-1");
  await page.getByText("No request matches").waitFor();
  const answer = await gateway.ask(key, "claude-live-1");
  assert.equal(answer.status, 200);
  const row = page.getByRole("row").filter({ hasText: "claude-live-1" });
  await row.waitFor();
  await row.click();
  const drawer = page.getByRole("dialog");
  await drawer.getByText("Answered with 200").waitFor();
  await drawer.getByText("Completed").waitFor();
  await assertAccessible(page);
  const address = page.url();
  await page.goto(address);
  await drawer.getByText("Answered with 200").waitFor();
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).searchParams.get("request"), null);
  assertQuiet();
});

test("the keyboard goes everywhere", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  await logIn(page, gateway.adminToken);
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await page.waitForURL("**/providers");
  await page.getByRole("heading", { name: "Providers", level: 1 }).waitFor();
  await page.keyboard.press("/");
  await page.locator("input[type=search]:focus").waitFor();
  await page.keyboard.type("main");
  await page.waitForURL("**/providers?q=main");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Command palette" }).waitFor();
  await page.keyboard.type("requests");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/requests");
  assertQuiet();
});

test("a key holder sees what is the key holder's", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  await gateway.ask(key, "claude-own-1");
  await logIn(page, key);
  await page.getByRole("heading", { name: "My usage", level: 1 }).waitFor();
  await page.goto("/requests");
  await page.getByRole("row").filter({ hasText: "claude-own-1" }).first().waitFor();
  assert.equal(await page.getByRole("link", { name: "Providers" }).count(), 0);
  await page.goto("/providers");
  await page.waitForURL("**/my-usage");
  assertQuiet();
});

/** What the tests above bring, and a price's own name for a tier. */
const DATA = ["mira", "laptop", "main", "backup", "extra", "batch", "broken", "unlucky", "desk"];

/** A provider whose breaker is open, once: what is wrong has words of its own. */
async function breakOne() {
  if ((await gateway.admin("GET", "/providers?q=broken")).items.length > 0) return;
  const broken = await gateway.admin("POST", "/providers", { name: "broken", type: "claude", url: `${gateway.mockUrl}/~status=503`, apiKey: "upstream", groupTags: ["broken"] });
  const user = await gateway.admin("POST", "/users", { name: "unlucky", providerGroup: "broken" });
  const desk = await gateway.admin("POST", `/users/${user.id}/keys`, { name: "desk" });
  await eventually(async () => {
    await gateway.ask(desk.key, "claude-sonnet-4-5");
    return (await gateway.admin("GET", "/breakers")).items.some(({ providerId }) => providerId === broken.id);
  });
}

for (const language of ["en", "zh"]) {
  for (const theme of ["light", "dark"]) {
    test(`every page fits, is quiet and accessible: ${language}, ${theme}`, { timeout: 300_000 }, async (t) => {
      await breakOne();
      for (const viewport of [DESKTOP, PHONE]) {
        const { page, assertQuiet } = await reader(t, { language, theme, viewport });
        const look = async () => {
          await assertFits(page);
          await assertAccessible(page);
          if (language === "zh") await assertTranslated(page, DATA);
        };
        await page.goto("/login");
        await page.locator("#key").waitFor();
        await look();
        await page.goto("/usage-doc");
        await page.locator("#claude").waitFor();
        await look();
        await logIn(page, gateway.adminToken);
        for (const path of PAGES) {
          await page.goto(path);
          await settled(page);
          assert.equal(await page.evaluate(() => document.documentElement.lang), language === "zh" ? "zh-CN" : "en");
          assert.equal(await page.evaluate(() => document.documentElement.classList.contains("dark")), theme === "dark");
          await look();
        }
        assertQuiet();
      }
    });
  }
}
