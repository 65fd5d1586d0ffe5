// Users, keys, routing, rules, settings and the system's page in a browser, against the real gateway.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { assertAccessible, launch, logIn, open } from "./browser.mjs";
import { eventually, startGateway } from "./gateway.mjs";

const options = { timeout: 120_000 };

let gateway, browser;

before(async () => {
  gateway = await startGateway();
  browser = await launch();
  await gateway.admin("POST", "/providers", { name: "main", type: "claude", url: gateway.mockUrl, apiKey: "upstream", weight: 3 });
  await gateway.admin("POST", "/providers", { name: "second", type: "claude", url: gateway.mockUrl, apiKey: "upstream", weight: 1 });
  await gateway.admin("POST", "/providers", { name: "apart", type: "claude", url: gateway.mockUrl, apiKey: "upstream", groupTags: ["apart"] });
  await gateway.admin("PUT", "/prices/claude-priced", { inputPerMillionUsd: "1000", outputPerMillionUsd: "1000" });
}, options);

after(async () => {
  await browser?.close();
  await gateway?.stop();
}, options);

async function reader(t) {
  const opened = await open(browser, gateway.url);
  t.after(() => opened.close());
  await logIn(opened.page, gateway.adminToken);
  return opened;
}

const named = async (path, name) => (await gateway.admin("GET", path)).items.find((each) => each.name === name);

test("a user gets a key that works, runs into a limit, and is let on again", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  await page.goto("/users");
  await page.getByText("No users yet").waitFor();
  await page.keyboard.press("n");
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Name", { exact: true }).fill("Grace");
  await sheet.getByLabel("Tags", { exact: true }).fill("compilers,");
  await sheet.getByRole("button", { name: "Remove compilers" }).waitFor();
  await sheet.getByLabel("In a day", { exact: true }).fill("0.03");
  await sheet.getByRole("button", { name: "Add user" }).click();
  const secret = page.getByTestId("new-key");
  await secret.waitFor();
  const key = await secret.textContent();
  assert.match(key, /^sk-/);
  await page.getByRole("radio", { name: "Codex" }).click();
  assert.match(await page.getByLabel("~/.codex/config.toml", { exact: true }).textContent(), new RegExp(`base_url = "${gateway.url}/v1"`));
  await assertAccessible(page);
  await page.getByRole("button", { name: "I have copied it" }).click();
  await secret.waitFor({ state: "detached" });
  assert.equal((await gateway.ask(key, "claude-priced")).status, 200);

  const user = await named("/users", "Grace");
  assert.deepEqual(user.tags, ["compilers"]);
  await page.goto(`/users?user=${user.id}`);
  await page.getByRole("dialog").getByRole("meter", { name: "Day" }).waitFor();
  await eventually(async () => Number((await gateway.admin("GET", `/users/${user.id}/limits`)).limitDailyUsd.remaining) <= 0);
  assert.equal((await gateway.ask(key, "claude-priced")).status, 429);
  await page.reload();
  await page.getByRole("dialog").getByText("100%").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Actions for Grace" }).click();
  await page.getByRole("menuitem", { name: "Count limits anew" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Count limits anew" }).click();
  await page.getByText("Grace: limits are counted from now on").waitFor();
  assert.equal((await gateway.ask(key, "claude-priced")).status, 200);
  assertQuiet();
});

test("a key is limited, exchanged, switched off and back on, and deleted", options, async (t) => {
  const { page, expect, assertQuiet } = await reader(t);
  const user = await gateway.admin("POST", "/users", { name: "Linus" });
  await page.goto(`/users?user=${user.id}`);
  const sheet = page.getByRole("dialog");
  await sheet.getByText("No keys yet").waitFor();
  await sheet.getByRole("button", { name: "New key" }).first().click();
  await sheet.getByLabel("Name", { exact: true }).fill("laptop");
  await sheet.getByLabel("Requests a minute", { exact: true }).fill("-1");
  expect(/422/);
  await sheet.getByRole("button", { name: "Create key" }).click();
  await sheet.locator("[name=rpm][aria-invalid=true]").waitFor();
  await sheet.getByLabel("Requests a minute", { exact: true }).fill("30");
  await sheet.getByRole("button", { name: "Create key" }).click();
  const first = await page.getByTestId("new-key").textContent();
  await page.getByRole("button", { name: "I have copied it" }).click();
  assert.equal((await gateway.ask(first, "claude-priced")).status, 200);

  await page.getByRole("button", { name: "Actions for laptop" }).click();
  await page.getByRole("menuitem", { name: "Exchange" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Exchange" }).click();
  const second = await page.getByTestId("new-key").textContent();
  await page.getByRole("button", { name: "I have copied it" }).click();
  assert.notEqual(second, first);
  assert.equal((await gateway.ask(first, "claude-priced")).status, 401);
  assert.equal((await gateway.ask(second, "claude-priced")).status, 200);

  await page.getByRole("switch", { name: "laptop is switched on" }).click();
  await page.getByText("laptop is off").waitFor();
  assert.equal((await gateway.ask(second, "claude-priced")).status, 401);
  await page.getByRole("button", { name: "Undo" }).click();
  await eventually(async () => (await named("/keys", "laptop")).isEnabled);
  assert.equal((await named("/keys", "laptop")).rpm, 30);

  await page.getByRole("button", { name: "Actions for laptop" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await sheet.getByText("No keys yet").waitFor();
  assert.equal((await gateway.ask(second, "claude-priced")).status, 401);
  assertQuiet();
});

test("many users are changed at once", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  for (const name of ["many-1", "many-2", "many-3"]) await gateway.admin("POST", "/users", { name, tags: ["many"], rpm: 5 });
  await page.goto("/users?tag=many");
  await page.getByLabel("Choose many-1").click();
  await page.getByLabel("Choose many-3").click();
  await page.getByText("2 users chosen").waitFor();
  await page.getByRole("button", { name: "Change fields" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("In a month", { exact: true }).fill("12.5");
  await sheet.getByLabel("Change: Requests a minute").click();
  await sheet.getByRole("button", { name: "Save" }).click();
  await page.getByText("2 users are changed").waitFor();
  const { items } = await gateway.admin("GET", "/users?tag=many");
  assert.deepEqual(items.map(({ limitMonthlyUsd, rpm }) => [limitMonthlyUsd, rpm]), [["12.5", null], [null, 5], ["12.5", null]]);
  assertQuiet();
});

test("a request is explained: who may answer, with which odds, and who not", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  const user = await gateway.admin("POST", "/users", { name: "Ada" });
  const key = await gateway.admin("POST", `/users/${user.id}/keys`, { name: "desk" });
  await page.goto("/routing");
  await page.getByText("Nothing asked yet").waitFor();
  await page.getByLabel("Model", { exact: true }).fill("claude-sonnet-4-5");
  await page.getByLabel("Key", { exact: true }).selectOption(String(key.id));
  await page.getByRole("button", { name: "Explain", exact: true }).click();
  const outcome = page.getByTestId("explanation");
  await outcome.getByRole("listitem").filter({ hasText: "main" }).getByText("75%").waitFor();
  await outcome.getByRole("listitem").filter({ hasText: "second" }).getByText("25%").waitFor();
  await outcome.getByRole("listitem").filter({ hasText: "apart" }).getByText("It shares no group with the key.").waitFor();
  assert.match(page.url(), /model=claude-sonnet-4-5/);
  await page.goto("/routing?tab=groups&create=apart");
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Cost multiplier").fill("1.5");
  await sheet.getByRole("button", { name: "Add group" }).click();
  await page.getByText("×1.5").waitFor();
  assert.equal((await named("/provider-groups", "apart")).costMultiplier, "1.5");
  assertQuiet();
});

test("a rule judges a failure in the box and in earnest", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  await page.goto("/rules?create=true");
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Name", { exact: true }).fill("Too long");
  await sheet.getByLabel("Pattern", { exact: true }).fill("prompt is too long");
  await sheet.getByLabel("Fault of", { exact: true }).selectOption("client");
  await sheet.getByLabel("Status", { exact: true }).fill("413");
  await sheet.getByLabel("Message", { exact: true }).fill("Compact the conversation.");
  await sheet.getByRole("button", { name: "Add an error rule" }).click();
  await page.getByText("Too long is added").waitFor();
  await page.getByLabel("Failure's text").fill("Your PROMPT is too long: 210000 tokens");
  await page.getByRole("button", { name: "Try", exact: true }).click();
  const verdict = page.getByTestId("verdict");
  await verdict.getByText("Status 413").waitFor();
  await verdict.getByText("Compact the conversation.").waitFor();
  await assertAccessible(page);
  const order = page.getByLabel("Order of Too long");
  await order.fill("8");
  await order.press("Enter");
  await page.getByText("Too long: order is 8").waitFor();
  assert.equal((await named("/error-rules", "Too long")).priority, 8);
  assertQuiet();
});

test("a setting out of bounds is named at its field, a good one is kept, and undone", options, async (t) => {
  const { page, expect, assertQuiet } = await reader(t);
  await page.goto("/settings");
  const pings = page.getByLabel("Pings", { exact: true });
  await pings.fill("99999");
  expect(/422/);
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("[name=pingSeconds][aria-invalid=true]").waitFor();
  await pings.fill("20");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("The settings are saved").waitFor();
  assert.equal((await gateway.admin("GET", "/settings")).pingSeconds, 20);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("The settings are as they were").waitFor();
  assert.equal((await gateway.admin("GET", "/settings")).pingSeconds, 15);
  assertQuiet();
});

test("a breaker that opened is shown with why, and reset", options, async (t) => {
  const { page, assertQuiet } = await reader(t);
  const broken = await gateway.admin("POST", "/providers", { name: "broken", type: "claude", url: `${gateway.mockUrl}/~status=503`, apiKey: "upstream", groupTags: ["broken"] });
  const user = await gateway.admin("POST", "/users", { name: "unlucky", providerGroup: "broken" });
  const { key } = await gateway.admin("POST", `/users/${user.id}/keys`, { name: "desk" });
  await eventually(async () => {
    await gateway.ask(key, "claude-priced");
    return (await gateway.admin("GET", "/breakers")).items.some(({ providerId }) => providerId === broken.id);
  });
  await page.goto("/system");
  await page.getByText("All is well").waitFor();
  await page.getByText(/failures in a row/).waitFor();
  await page.getByRole("button", { name: "Reset the breakers of broken" }).click();
  await page.getByText("Every breaker is closed").waitFor();
  assert.deepEqual((await gateway.admin("GET", "/breakers")).items, []);
  assertQuiet();
});

test("people are told: a target is added and tried, a rule names it, and a message is in the log", options, async (t) => {
  const { page, expect, assertQuiet } = await reader(t);
  const received = [];
  const hook = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      received.push({ url: request.url, key: request.headers["x-key"], body: JSON.parse(body) });
      response.end("thanks");
    });
  });
  await new Promise((resolve) => hook.listen(0, "127.0.0.1", resolve));
  t.after(() => hook.close());
  await page.goto("/notifications");
  await page.getByText("No targets yet").waitFor();
  await page.keyboard.press("n");
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Name", { exact: true }).fill("ops");
  await sheet.getByLabel("Kind", { exact: true }).selectOption("webhook");
  expect(/422/);
  await sheet.getByRole("button", { name: "Add a target" }).click();
  await sheet.locator("[name=url][aria-invalid=true]").waitFor();
  await sheet.getByLabel("Address", { exact: true }).fill(`http://127.0.0.1:${hook.address().port}/secret-path`);
  await sheet.getByLabel("Headers", { exact: true }).fill("x-key: hidden");
  await sheet.getByRole("button", { name: "Add a target" }).click();
  await page.getByText("ops is added").waitFor();
  await page.getByRole("button", { name: "Send a test: ops" }).click();
  await page.getByTestId("test-report").getByText("thanks").waitFor();
  assert.deepEqual(received.map(({ url, key, body }) => [url, key, body.event]), [["/secret-path", "hidden", "test"]]);
  await assertAccessible(page);

  await page.getByRole("radio", { name: "Rules" }).click();
  await page.getByText("No rules yet").waitFor();
  await page.keyboard.press("n");
  await sheet.getByLabel("Name", { exact: true }).fill("spent");
  await sheet.getByLabel("Event", { exact: true }).selectOption("limit-near");
  await sheet.getByLabel("ops").check();
  await sheet.getByLabel("From", { exact: true }).fill("90");
  await sheet.getByRole("button", { name: "Add a rule" }).click();
  await page.getByText("spent is added").waitFor();
  await page.getByText("from 90% · quiet for 30 min · ops").waitFor();
  const rule = await named("/notifications/rules", "spent");
  assert.deepEqual([rule.event, rule.thresholdPercent, rule.targetIds.length], ["limit-near", 90, 1]);

  await page.getByRole("radio", { name: "Deliveries" }).click();
  await page.getByText("[Switchyard] Test message").waitFor();
  assert.ok(!(await page.content()).includes("secret-path"));
  assertQuiet();
});

test("the configuration is backed up, looked at and restored", options, async (t) => {
  const { page, expect, assertQuiet } = await reader(t);
  const group = await gateway.admin("POST", "/provider-groups", { name: "to come back", note: "kept" });
  await page.goto("/system");
  await page.getByLabel("Passphrase", { exact: true }).fill("correct horse battery");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Back up", exact: true }).click();
  const file = await (await download).path();
  await page.getByText("The backup is made").waitFor();
  const written = await readFile(file, "utf8");
  assert.equal(JSON.parse(written).format, "switchyard-backup");
  assert.ok(!written.includes("correct horse"));

  await gateway.admin("DELETE", `/provider-groups/${group.id}`);
  await page.getByLabel("Backup", { exact: true }).setInputFiles(file);
  await page.getByLabel("The backup's passphrase").fill("not this one");
  expect(/422/);
  await page.getByRole("button", { name: "See what would happen" }).click();
  await page.getByText("does not open this backup").waitFor();
  await page.getByLabel("The backup's passphrase").fill("correct horse battery");
  await page.getByRole("button", { name: "See what would happen" }).click();
  const dialog = page.getByRole("alertdialog");
  await dialog.getByText("Group to come back").waitFor();
  assert.equal(await named("/provider-groups", "to come back"), undefined);
  await assertAccessible(page);
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByText("Restored: 1 created, 0 changed").waitFor();
  assert.equal((await named("/provider-groups", "to come back")).note, "kept");
  await gateway.admin("DELETE", `/provider-groups/${(await named("/provider-groups", "to come back")).id}`);
  assertQuiet();
});
