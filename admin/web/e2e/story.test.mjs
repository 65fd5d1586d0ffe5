// The whole story in one sitting, as a new operator lives it: a provider, a user, a key, the real Claude Code, its request as it arrives, a
// limit that refuses it, and the reset that lets it on again. One load of the page, everything through what is on it, in every language and
// theme: what is looked for is named in English here and found in the page's own catalogues.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { claude } from "../../../tests/clients/lib/claude-code.mjs";
import { DESKTOP, PHONE, assertAccessible, assertFits, launch, logIn, open } from "./browser.mjs";
import { startGateway } from "./gateway.mjs";
import { assertTranslated, wordsIn } from "./words.mjs";

const options = { timeout: 600_000 };
/** The gateway's answer to Claude Code costs more than the key's limit, whichever model it asks for. */
const TOKENS = "input=60000;output=4000";
const LIMIT = "0.01";

/** What the story itself brings, and what the gateway tells in its own words: reasons are the API's. */
const DATA = ["anthropic", "Ada", "laptop", "usd_day"];

let browser;

before(async () => {
  browser = await launch();
}, options);

after(() => browser?.close(), options);

for (const [language, theme] of [["en", "light"], ["zh", "dark"]]) {
  test(`the whole story: ${language}, ${theme}`, options, async (t) => {
    const gateway = await startGateway();
    t.after(() => gateway.stop());
    const { page, assertQuiet, close } = await open(browser, gateway.url, { language, theme });
    t.after(close);
    const words = await wordsIn(language);
    const { say } = words;
    const users = words.catalogue("pages/users/messages");
    const form = words.catalogue("pages/users/form/messages");
    const providerForm = words.catalogue("pages/providers/form/messages");
    const drawer = words.catalogue("pages/requests/drawer/messages");
    const go = async (path) => {
      const name = words.title(path);
      await page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
      await page.getByRole("heading", { name, level: 1 }).waitFor();
    };
    const sheet = page.getByRole("dialog");
    const row = (text) => page.getByRole("row").filter({ hasText: text });
    const field = ([label]) => sheet.getByLabel(label, { exact: true });
    const button = (name) => sheet.getByRole("button", { name, exact: true });
    const leave = async () => {
      await page.keyboard.press("Escape");
      await sheet.waitFor({ state: "detached" });
    };
    /** What is in sight is as it should be, and fits a phone, too. */
    const look = async () => {
      await assertAccessible(page);
      if (language === "zh") await assertTranslated(page, DATA);
      for (const viewport of [PHONE, DESKTOP]) {
        await page.setViewportSize(viewport);
        await assertFits(page);
      }
    };
    const openUser = async () => {
      await go("/users");
      await row("Ada").click();
    };
    /** Asks Claude Code while the log is looked at, until one more row with such a status has come by itself. */
    const watch = async (status, key) => {
      await go("/requests");
      const { items } = await gateway.admin("GET", "/requests?limit=200");
      const before = items.filter((item) => String(item.status) === status).length;
      const named = row("Ada").filter({ hasText: status });
      if (before > 0) await named.nth(before - 1).waitFor();
      const { code, stdout, stderr } = await claude(gateway.url, key);
      const said = stdout + stderr;
      assert.equal(code === 0, status === "200", said);
      await named.nth(before).waitFor();
      return said;
    };

    await logIn(page, gateway.adminToken);
    await page.getByText(say("No provider yet")).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.classList.contains("dark")), theme === "dark");
    await page.evaluate(() => (globalThis.isSameLoad = true));
    await look();

    await page.getByRole("link", { name: say("Add a provider") }).click();
    await field(providerForm.fields.name).fill("anthropic");
    await field(providerForm.fields.url).fill(`${gateway.mockUrl}/~${TOKENS}`);
    await field(providerForm.fields.apiKey).fill("upstream-secret");
    await look();
    await button(providerForm.add).click();
    await page.getByText(providerForm.created("anthropic")).waitFor();
    await row("anthropic").waitFor();

    await go("/users");
    await page.getByRole("button", { name: users.add }).first().click();
    await field(form.fields.name).fill("Ada");
    await field(form.fields.withKey).click();
    await button(form.addUser).click();
    await page.getByText(form.created("Ada")).waitFor();
    await row("Ada").click();
    await button(users.newKey).first().click();
    await field(form.fields.keyName).fill("laptop");
    await button(form.addKey).click();
    const secret = page.getByTestId("new-key");
    const key = await secret.textContent();
    assert.match(key, /^sk-/);
    await look();
    await page.getByRole("button", { name: users.secret.done }).click();
    await secret.waitFor({ state: "detached" });
    await button(users.actionsOf("laptop")).waitFor();
    assert.equal((await page.content()).includes(key), false, "the key is shown once");
    await look();
    await leave();

    assert.match(await watch("200", key), /"result":\s*"PONG"/);
    await row("Ada").filter({ hasText: "200" }).first().click();
    await sheet.getByText(`${drawer.chosen}: anthropic`).waitFor();
    await sheet.getByText(drawer.considered(1)).waitFor();
    await sheet.getByText(drawer.outcomes.completed).first().waitFor();
    await sheet.getByText(drawer.answered(200)).waitFor();
    await sheet.getByText(drawer.settled.terminal).first().waitFor();
    await look();
    await leave();

    await openUser();
    await button(users.actionsOf("laptop")).click();
    await page.getByRole("menuitem", { name: users.edit }).click();
    await field(form.fields.limitDailyUsd).fill(LIMIT);
    await sheet.getByRole("button", { name: say("Save"), exact: true }).click();
    await page.getByText(form.saved("laptop")).waitFor();
    await sheet.getByRole("button", { name: `$${LIMIT} ${users.limitNames.limitDailyUsd.toLowerCase()}` }).click();
    await sheet.getByRole("meter", { name: users.limitNames.limitDailyUsd }).waitFor();
    await look();
    await leave();

    assert.match(await watch("429", key), /has spent \$\S+ of \$0\.01/);
    await row("Ada").filter({ hasText: "429" }).first().click();
    await sheet.getByText(drawer.refused).waitFor();
    await sheet.getByText(drawer.noAttempt).waitFor();
    await sheet.getByText("usd_day").first().waitFor();
    await look();
    await leave();

    await openUser();
    await button(users.actionsOf("laptop")).click();
    await page.getByRole("menuitem", { name: users.resetLimits }).click();
    await look();
    await page.getByRole("alertdialog").getByRole("button", { name: users.resetLimits }).click();
    await page.getByText(users.resetDone("laptop")).waitFor();
    await leave();

    assert.match(await watch("200", key), /"result":\s*"PONG"/);
    await go("/overview");
    await look();
    assert.equal(await page.evaluate(() => globalThis.isSameLoad), true, "the page was never loaded anew");
    assertQuiet();
  });
}
