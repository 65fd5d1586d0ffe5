// The catalogues by themselves: what is Chinese is Chinese. What pages show is looked at where they are walked.
import assert from "node:assert/strict";
import { test } from "node:test";

import { everyText, foreign } from "./words.mjs";

/** Examples of what is typed or sent, which are the same in every language. */
const EXAMPLES = ["overloaded_error", "{{event}}", "target=level", "ENABLE_SECURE_COOKIES", "sk-YOUR-KEY", "Name: value", "model_prices_and_context_window.json"];

test("no English is left in the Chinese texts", async () => {
  const texts = await everyText();
  assert.ok(texts.length > 1000, `${texts.length} texts`);
  const left = texts.filter(({ zh }) => foreign(zh, EXAMPLES).length > 0).map(({ zh, path }) => `${path}: ${zh}`);
  assert.deepEqual(left, []);
});
