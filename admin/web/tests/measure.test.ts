import assert from "node:assert/strict";
import { test } from "node:test";

import { everyNth, rest, stack } from "@/components/chart/stack";
import { cacheShare, change, errorShare, percentile, running } from "@/lib/measure";

test("shares of nothing are unknown, not zero", () => {
  assert.equal(errorShare({ requests: 0, failures: 0 }), null);
  assert.equal(errorShare({ requests: 8, failures: 2 }), 0.25);
  assert.equal(cacheShare({ inputTokens: 0, cacheReadTokens: 0, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0 }), null);
  assert.equal(cacheShare({ inputTokens: 1, cacheReadTokens: 6, cacheWrite5mTokens: 2, cacheWrite1hTokens: 3 }), 0.5);
  assert.equal(change(5, 0), null);
  assert.equal(change(5, 4), 0.25);
});

test("a percentile is one of the values", () => {
  assert.equal(percentile([], 0.5), null);
  assert.equal(percentile([9], 0.95), 9);
  assert.equal(percentile([4, 1, 3, 2], 0.5), 2);
  assert.equal(percentile(Array.from({ length: 100 }, (_, index) => index + 1), 0.95), 95);
});

test("running sums end with the sum", () => {
  assert.deepEqual(running([1, 2, 3]), [1, 3, 6]);
});

test("hidden series take no room and leave the others their colours' places", () => {
  const series = [
    { id: "a", values: [1, 2] },
    { id: "b", values: [10, 20] },
    { id: "c", values: [100] },
  ];
  assert.deepEqual(stack(series, new Set(), 2), [[1, 2], [11, 22], [111, 22]]);
  assert.deepEqual(stack(series, new Set(["b"]), 2), [[1, 2], [1, 2], [101, 2]]);
});

test("the rest is what the parts leave, and no dust of rounding", () => {
  assert.deepEqual(rest([10, 0.3], [[4, 0.1], [1, 0.2]]), [5, 0]);
});

test("labels stand on even steps", () => {
  assert.equal(everyNth(24, 12), 2);
  assert.equal(everyNth(7, 12), 1);
  assert.equal(everyNth(168, 8), 24);
});
