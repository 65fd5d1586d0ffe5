import assert from "node:assert/strict";
import { test } from "node:test";

import { dayOf, daysBetween, hourOf, isDay, shifted, startOf } from "@/lib/zone";

test("a day begins at midnight of its zone", () => {
  assert.equal(new Date(startOf("2026-11-21", "UTC")).toISOString(), "2026-11-21T00:00:00.000Z");
  assert.equal(new Date(startOf("2026-11-21", "Asia/Shanghai")).toISOString(), "2026-11-20T16:00:00.000Z");
  assert.equal(new Date(startOf("2026-11-21", "America/New_York")).toISOString(), "2026-11-21T05:00:00.000Z");
  assert.equal(new Date(startOf("2026-11-21", "Asia/Kathmandu")).toISOString(), "2026-11-20T18:15:00.000Z");
});

test("a day on which the clocks change begins by the old time and ends by the new", () => {
  const zone = "Europe/Berlin";
  assert.equal(startOf("2026-03-30", zone) - startOf("2026-03-29", zone), 23 * 3_600_000);
  assert.equal(startOf("2026-10-26", zone) - startOf("2026-10-25", zone), 25 * 3_600_000);
});

test("a moment belongs to the day and hour of the zone", () => {
  const time = Date.parse("2026-11-20T16:30:00Z");
  assert.equal(dayOf(time, "Asia/Shanghai"), "2026-11-21");
  assert.equal(hourOf(time, "Asia/Shanghai"), 0);
  assert.equal(dayOf(time, "America/Los_Angeles"), "2026-11-20");
  assert.equal(hourOf(time, "America/Los_Angeles"), 8);
});

test("days are counted over months and leap days", () => {
  assert.equal(shifted("2028-02-28", 1), "2028-02-29");
  assert.equal(shifted("2026-01-01", -1), "2025-12-31");
  assert.equal(daysBetween("2026-10-30", "2026-11-02"), 4);
  assert.equal(isDay("2026-02-29"), false);
  assert.equal(isDay("2026-02-28"), true);
  assert.equal(isDay("tomorrow"), false);
});
