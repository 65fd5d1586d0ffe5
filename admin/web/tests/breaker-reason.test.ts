import assert from "node:assert/strict";
import { test } from "node:test";

import { breakerReason } from "@/lib/breaker-reason";

/** As src/policy/breaker writes them. */
const SAID = [
  "5 failures in a row",
  "5 failures in a row (provider, status 503)",
  "11 of the last minute's 20 requests failed (network)",
  "it asked to be left alone for 5 s (provider, status 429)",
  "a request on trial failed (endpoint, status 502)",
  "another node had opened it and the first request here failed (key, status 401)",
  "open at another node: 2 failures in a row (provider, status 502)",
];

test("every sentence of the gateway is itself in English, and has no English in Chinese", () => {
  for (const said of SAID) {
    assert.equal(breakerReason(said, "en"), said);
    const chinese = breakerReason(said, "zh");
    assert.ok(chinese && !/[A-Za-z]/.test(chinese), `${said}: ${chinese}`);
    assert.deepEqual(chinese.match(/\d+/g)?.sort(), said.match(/\d+/g)?.sort());
  }
});

test("what the gateway does not say stays as it is", () => {
  for (const other of ["", "somebody pulled the plug", "5 failures in a row (nobody)", "open at another node: because"]) assert.equal(breakerReason(other, "zh"), null);
});
