// The whole story in one sitting, as a new operator lives it: a provider, a user, a key, the real Claude Code, its request as it arrives, a
// limit that refuses it, and the reset that lets it on again. One load of the page, everything through what is on it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { claude } from "../../../tests/clients/lib/claude-code.mjs";
import { assertAccessible, launch, logIn, open } from "./browser.mjs";
import { startGateway } from "./gateway.mjs";

const options = { timeout: 300_000 };
/** The gateway's answer to Claude Code costs more than the key's limit, whichever model it asks for. */
const TOKENS = "input=60000;output=4000";
const LIMIT = "0.01";

let gateway, browser;

before(async () => {
  gateway = await startGateway();
  browser = await launch();
}, options);

after(async () => {
  await browser?.close();
  await gateway?.stop();
}, options);

test("the whole story", options, async (t) => {
  const { page, assertQuiet, close } = await open(browser, gateway.url);
  t.after(close);
  const go = async (name) => {
    await page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { name, level: 1 }).waitFor();
  };
  const sheet = page.getByRole("dialog");
  const rows = page.getByRole("row").filter({ hasText: "Ada" });
  /** Asks Claude Code while the log is looked at, until one more row with such a status has come by itself. */
  const watch = async (status, key) => {
    await go("Requests");
    const { items } = await gateway.admin("GET", "/requests?limit=200");
    const before = items.filter((row) => String(row.status) === status).length;
    const named = rows.filter({ hasText: status });
    if (before > 0) await named.nth(before - 1).waitFor();
    const result = await claude(gateway.url, key);
    await named.nth(before).waitFor();
    return result;
  };

  await logIn(page, gateway.adminToken);
  await page.getByText("No provider yet").waitFor();
  await page.evaluate(() => (globalThis.isSameLoad = true));

  await page.getByRole("link", { name: "Add a provider" }).click();
  await sheet.getByLabel("Name", { exact: true }).fill("anthropic");
  await sheet.getByLabel("Address", { exact: true }).fill(`${gateway.mockUrl}/~${TOKENS}`);
  await sheet.getByLabel("Credential").fill("upstream-secret");
  await sheet.getByRole("button", { name: "Add provider" }).click();
  await page.getByText("anthropic is added").waitFor();
  await page.getByRole("row").filter({ hasText: "anthropic" }).waitFor();

  await go("Users and keys");
  await page.getByRole("button", { name: "Add user" }).first().click();
  await sheet.getByLabel("Name", { exact: true }).fill("Ada");
  await sheet.getByLabel("Create a key, too").click();
  await sheet.getByRole("button", { name: "Add user" }).click();
  await page.getByText("Ada is added").waitFor();
  await page.getByRole("row").filter({ hasText: "Ada" }).click();
  await sheet.getByRole("button", { name: "New key" }).first().click();
  await sheet.getByLabel("Name", { exact: true }).fill("laptop");
  await sheet.getByRole("button", { name: "Create key" }).click();
  const secret = page.getByTestId("new-key");
  const key = await secret.textContent();
  assert.match(key, /^sk-/);
  await page.getByRole("button", { name: "I have copied it" }).click();
  await secret.waitFor({ state: "detached" });
  await sheet.getByRole("button", { name: "Actions for laptop" }).waitFor();
  assert.equal((await page.content()).includes(key), false, "the key is shown once");
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "detached" });

  const first = await watch("200", key);
  assert.equal(first.code, 0, first.stdout + first.stderr);
  assert.equal(JSON.parse(first.stdout).result, "PONG");
  await rows.filter({ hasText: "200" }).first().click();
  await sheet.getByText("Chosen: anthropic").waitFor();
  await sheet.getByText("1 provider considered").waitFor();
  await sheet.getByText("Completed").waitFor();
  await sheet.getByText("Answered with 200").waitFor();
  await sheet.getByText("The provider reported it").first().waitFor();
  await assertAccessible(page);
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "detached" });

  await go("Users and keys");
  await page.getByRole("row").filter({ hasText: "Ada" }).click();
  await sheet.getByRole("button", { name: "Actions for laptop" }).click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  await sheet.getByLabel("In a day", { exact: true }).fill(LIMIT);
  await sheet.getByRole("button", { name: "Save" }).click();
  await page.getByText("laptop is saved").waitFor();
  await sheet.getByRole("button", { name: /\$0\.01 day/ }).click();
  await sheet.getByRole("meter", { name: "Day" }).waitFor();
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "detached" });

  const refused = await watch("429", key);
  assert.notEqual(refused.code, 0, refused.stdout);
  assert.match(refused.stdout + refused.stderr, /has spent \$\S+ of \$0\.01/);
  await rows.filter({ hasText: "429" }).first().click();
  await sheet.getByText("Refused by the gateway").waitFor();
  await sheet.getByText("No provider was asked.").waitFor();
  await sheet.getByText("usd_day").first().waitFor();
  await assertAccessible(page);
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "detached" });

  await go("Users and keys");
  await page.getByRole("row").filter({ hasText: "Ada" }).click();
  await sheet.getByRole("button", { name: "Actions for laptop" }).click();
  await page.getByRole("menuitem", { name: "Count limits anew" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Count limits anew" }).click();
  await page.getByText("laptop: limits are counted from now on").waitFor();
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "detached" });

  const again = await watch("200", key);
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assert.equal(JSON.parse(again.stdout).result, "PONG");
  assert.equal(await page.evaluate(() => globalThis.isSameLoad), true, "the page was never loaded anew");
  assertQuiet();
});
