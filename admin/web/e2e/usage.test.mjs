// What was used and what it costs, in a browser against the real gateway.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { PHONE, assertAccessible, assertFits, launch, logIn, open } from "./browser.mjs";
import { eventually, startGateway } from "./gateway.mjs";

const options = { timeout: 120_000 };
const PRICED = "claude-sonnet-4-5";
const UNPRICED = "house-blend-7b";

let gateway, browser, key;

before(async () => {
  gateway = await startGateway();
  browser = await launch();
  const user = await gateway.admin("POST", "/users", { name: "mira", limitDailyUsd: "0.01" });
  ({ key } = await gateway.admin("POST", `/users/${user.id}/keys`, { name: "laptop", canLoginWebUi: true }));
  await gateway.admin("POST", "/providers", { name: "main", type: "claude", url: `${gateway.mockUrl}/~input=1000;output=100`, apiKey: "upstream" });
  for (const model of [PRICED, PRICED, UNPRICED]) assert.equal((await gateway.ask(key, model)).status, 200);
  // Usage is written behind the answer.
  await eventually(async () => (await gateway.admin("GET", "/usage/totals")).requests >= 3);
}, options);

after(async () => {
  await browser?.close();
  await gateway?.stop();
}, options);

async function reader(t, choices) {
  const opened = await open(browser, gateway.url, choices);
  t.after(() => opened.close());
  return opened;
}

test("the overview shows what was used, and its chart can be asked differently", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  await logIn(page, gateway.adminToken);
  await page.waitForURL("**/overview");
  await page.getByRole("img", { name: "Cost over time, stacked by user" }).waitFor();
  await page.getByRole("link", { name: "mira", exact: true }).waitFor();
  await page.getByText("1 model without a price").waitFor();
  await page.keyboard.press("3");
  await page.waitForURL(/span=30d/);
  await page.getByLabel("By", { exact: true }).selectOption("model");
  await page.waitForURL(/by=model/);
  await page.getByRole("button", { name: `Hide ${PRICED} in the chart` }).click();
  await page.getByRole("button", { name: `Show ${PRICED} in the chart` }).waitFor();
  const address = page.url();
  await page.goto(address);
  await page.getByRole("link", { name: PRICED }).click();
  await page.waitForURL(/\/requests\?.*model=/);
  assertQuiet();
});

test("the overview follows what happens, without being loaded anew", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  await logIn(page, gateway.adminToken);
  await page.waitForURL("**/overview");
  const figure = (name) => page.getByTestId("now").locator("div").filter({ has: page.getByText(name, { exact: true }) }).locator("dd");
  const shows = (name, text) => figure(name).filter({ hasText: text }).waitFor();
  await shows("In flight", /^0$/);
  const requests = page.getByTestId("tile").filter({ hasText: "Requests today" }).locator("p").first();
  await requests.filter({ hasText: /^3/ }).waitFor();
  await gateway.admin("PATCH", "/providers/1", { url: `${gateway.mockUrl}/~firstEventDelayMs=600000` });
  const slow = gateway.ask(key, PRICED, { "x-claude-code-session-id": "long-one" }, AbortSignal.timeout(60_000));
  await shows("In flight", /^1$/);
  await shows("Active sessions", /^1$/);
  await gateway.admin("POST", "/sessions/long-one/end");
  assert.equal((await slow).status, 403);
  await shows("In flight", /^0$/);
  await requests.filter({ hasText: /^4/ }).waitFor();
  await gateway.admin("PATCH", "/providers/1", { url: `${gateway.mockUrl}/~input=1000;output=100` });
  assertQuiet();
});

test("the leaderboard ranks, and opens who is ranked", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  await logIn(page, gateway.adminToken);
  await page.goto("/leaderboard?by=model&sort=requests");
  await page.getByRole("row").filter({ hasText: PRICED }).click();
  await page.getByRole("dialog").getByRole("img", { name: `Cost of ${PRICED} over time` }).waitFor();
  await assertAccessible(page);
  await page.reload();
  await page.getByRole("dialog").getByText("mira").waitFor();
  assertQuiet();
});

test("a model without a price gets one, and history is priced again", options, async (t) => {
  const { page, expect, assertQuiet } = await reader(t);
  await logIn(page, gateway.adminToken);
  await page.goto("/prices?view=unpriced");
  await page.getByRole("row").filter({ hasText: UNPRICED }).getByRole("button", { name: "Set a price" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Input", { exact: true }).fill("much");
  expect(/422/);
  await sheet.getByRole("button", { name: "Save" }).click();
  await sheet.locator("[name=inputPerMillionUsd][aria-invalid=true]").waitFor();
  await sheet.getByLabel("Input", { exact: true }).fill("1");
  await sheet.getByLabel("Output", { exact: true }).fill("2");
  await sheet.getByRole("button", { name: "Save" }).click();
  await page.getByText(`The price of ${UNPRICED} is set`).waitFor();
  await page.getByRole("row").filter({ hasText: UNPRICED }).getByRole("button", { name: "Re-price" }).click();
  await sheet.getByRole("button", { name: "Count what would change" }).click();
  await sheet.getByText("Nothing is written yet.").waitFor();
  const cost = async () => Number((await gateway.admin("GET", `/usage/totals?model=${UNPRICED}`)).costUsd);
  assert.equal(await cost(), 0);
  await sheet.getByRole("button", { name: "Write it down" }).click();
  await sheet.getByText("History is priced again.").waitFor();
  assert.equal(await cost(), 0.0012);
  await sheet.getByRole("button", { name: "Close" }).last().click();
  await page.getByText("Every model that was used has a price").waitFor();
  assertQuiet();
});

test("a table is imported after its differences were seen, and a deleted price is gone", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  const table = { "brand-new-1": { input_cost_per_token: 0.000001, output_cost_per_token: 0.000002, litellm_provider: "x", mode: "chat" } };
  await logIn(page, gateway.adminToken);
  await page.goto("/prices?task=import");
  const sheet = page.getByRole("dialog");
  await sheet.locator("input[type=file]").setInputFiles({ name: "prices.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(table)) });
  await sheet.getByText("brand-new-1").waitFor();
  assert.equal((await gateway.admin("GET", "/prices?q=brand-new-1")).items.length, 0);
  await sheet.getByRole("button", { name: "Apply 1 change" }).click();
  await sheet.getByText("1 price added, 0 changed").waitFor();
  assert.equal((await gateway.admin("GET", "/prices?q=brand-new-1")).items[0].inputPerMillionUsd, "1");
  await gateway.admin("PUT", "/prices/by-hand-1", { inputPerMillionUsd: "3" });
  await page.goto("/prices?model=by-hand-1");
  await sheet.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("The price of by-hand-1 is deleted").waitFor();
  assert.equal((await gateway.admin("GET", "/prices?q=by-hand-1")).items.length, 0);
  assertQuiet();
});

for (const [language, theme] of [["en", "dark"], ["zh", "light"]]) {
  test(`a key holder sees what is left: ${language}, ${theme}`, options, async (t) => {
    for (const viewport of [undefined, PHONE]) {
      const { page, assertQuiet } = await reader(t, { language, theme, viewport });
      await logIn(page, key);
      await page.waitForURL("**/my-usage");
      await page.getByRole("meter").first().waitFor();
      await page.getByText("$0.01").first().waitFor();
      await page.getByText(PRICED).first().waitFor();
      await assertFits(page);
      await assertAccessible(page);
      assertQuiet();
    }
  });
}

test("the guide is open to everybody and fills in the key and this address", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  await page.goto("/usage-doc");
  await page.getByLabel("Your key").fill("sk-mine");
  const code = page.locator("#claude pre").nth(1);
  await page.waitForFunction(() => document.querySelectorAll("#claude pre")[1].textContent.includes("sk-mine"));
  assert.deepEqual(JSON.parse(await code.textContent()).env, {
    ANTHROPIC_BASE_URL: gateway.url, ANTHROPIC_AUTH_TOKEN: "sk-mine", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  });
  await page.getByRole("radio", { name: "Windows" }).click();
  await page.waitForURL(/os=windows/);
  await page.getByText("%USERPROFILE%\\.codex\\config.toml").first().waitFor();
  assertQuiet();
});
