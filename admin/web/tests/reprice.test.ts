import assert from "node:assert/strict";
import { test } from "node:test";

import { type Progress, repriceAll } from "@/pages/prices/reprice";

const report = (lines: number, nextCursor: string | null, totalLines: number | null = null) => ({ applied: false, lines, totalLines, changed: 1, unpriced: 0, beforeUsd: "1.5", afterUsd: "1.25", nextCursor });

test("goes on from cursor to cursor and adds up what was done", async () => {
  const cursors: (string | undefined)[] = [];
  const answers = [report(10, "a", 35), report(20, "b"), report(5, null)];
  const seen: Progress[] = [];
  const isDone = await repriceAll(
    (cursor) => {
      cursors.push(cursor);
      return Promise.resolve(answers.shift() ?? report(0, null));
    },
    (progress) => seen.push(progress),
    new AbortController().signal,
  );
  assert.equal(isDone, true);
  assert.deepEqual(cursors, [undefined, "a", "b"]);
  assert.deepEqual(seen.at(-1), { lines: 35, total: 35, changed: 3, unpriced: 0, before: 4.5, after: 3.75 });
});

test("stops between two calls and says so", async () => {
  const stop = new AbortController();
  let calls = 0;
  const isDone = await repriceAll(
    () => {
      calls += 1;
      stop.abort();
      return Promise.resolve(report(1, "more"));
    },
    () => undefined,
    stop.signal,
  );
  assert.equal(isDone, false);
  assert.equal(calls, 1);
});

test("a call that fails ends it with the failure", async () => {
  await assert.rejects(repriceAll(() => Promise.reject(new Error("refused")), () => undefined, new AbortController().signal), /refused/);
});
