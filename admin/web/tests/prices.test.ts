import assert from "node:assert/strict";
import { test } from "node:test";

import { changesOf, dollars, fromForm, listed, toForm } from "@/pages/prices/figures";

test("a difference names every figure of both sides", () => {
  assert.deepEqual(changesOf("input=3 output=15", "input=3 output=12.5 cache-read=0.3"), [
    { name: "input", before: "3", after: "3" },
    { name: "output", before: "15", after: "12.5" },
    { name: "cache-read", before: null, after: "0.3" },
  ]);
  assert.deepEqual(changesOf(null, "input=1"), [{ name: "input", before: null, after: "1" }]);
  assert.deepEqual(changesOf("", ""), []);
});

test("dollars keep all of their decimals and have at least two", () => {
  assert.equal(dollars("3"), "$3.00");
  assert.equal(dollars("0.0375"), "$0.0375");
  assert.equal(dollars(undefined), "—");
  assert.equal(dollars("0"), "$0.00");
});

test("a form sends what was filled in and nothing else", () => {
  const form = toForm({ inputPerMillionUsd: "3", cacheReadPerMillionUsd: "0" });
  assert.equal(form.outputPerMillionUsd, "");
  assert.deepEqual(fromForm({ ...form, outputPerMillionUsd: " 15 ", perRequestUsd: "  " }), {
    inputPerMillionUsd: "3",
    outputPerMillionUsd: "15",
    cacheReadPerMillionUsd: "0",
  });
  assert.deepEqual(listed({ inputPerMillionUsd: "3", perImageUsd: "0.04" }), [["inputPerMillionUsd", "3"], ["perImageUsd", "0.04"]]);
});
