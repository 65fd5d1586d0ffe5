// The request log with a hundred thousand rows loaded by its pages: it scrolls as it does with a hundred.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { launch, logIn, open, settled } from "./browser.mjs";
import { eventually, startGateway } from "./gateway.mjs";
import { traced } from "./trace.mjs";

const options = { timeout: 600_000 };
const HISTORY = fileURLToPath(new URL("history.py", import.meta.url));
const FEW = 2_000;
const ROWS = 100_000;
const DAYS = 31;
const REQUESTS_A_DAY = 5200;
/**
 * Processor time that script, style and layout may take of a frame while the log is scrolled; 60 frames a second leave 16.7 ms for all of a
 * frame. A machine three times as slow as the one that `docs/dashboard.md` tells of stays below this, a table that draws every row takes
 * seconds. How long frames are on the clock says as much of what else the machine does, and is only told.
 */
const MOST_MS = 24;
/** Frames may not grow with what is loaded. */
const MOST_GROWTH = 2;
/** What is drawn: rows beyond those in sight, and elements of a row. These cost the same everywhere. */
const MOST_BEYOND = 24;
const MOST_ELEMENTS = 13;
const SECONDS = 6;

let gateway, browser;

before(async () => {
  gateway = await startGateway();
  browser = await launch();
  const user = await gateway.admin("POST", "/users", { name: "mira" });
  const { key } = await gateway.admin("POST", `/users/${user.id}/keys`, { name: "laptop" });
  await gateway.admin("POST", "/providers", { name: "main", type: "claude", url: `${gateway.mockUrl}/~input=1000;output=100`, apiKey: "upstream" });
  const models = ["claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5"];
  for (const model of models) assert.equal((await gateway.ask(key, model)).status, 200);
  await eventually(async () => (await gateway.admin("GET", "/usage/totals")).requests >= models.length);
  await gateway.restart((database) => promisify(execFile)("python3", [HISTORY, database, String(DAYS), String(REQUESTS_A_DAY)]));
}, options);

after(async () => {
  await browser?.close();
  await gateway?.stop();
}, options);

test("a hundred thousand requests are loaded by scrolling and scroll smoothly", options, async (t) => {
  const { page, assertQuiet, close } = await open(browser, gateway.url);
  t.after(close);
  await logIn(page, gateway.adminToken);
  await page.goto("/requests");
  await settled(page);
  await page.getByRole("table").waitFor();
  const measure = async (rows) => {
    const { result, work } = await traced(page, scroll, SECONDS);
    const frames = result.toSorted((a, b) => a - b);
    const each = Object.fromEntries(Object.entries(work).map(([kind, ms]) => [kind, ms / frames.length]));
    const at = (share) => frames[Math.floor((frames.length - 1) * share)].toFixed(1);
    const kinds = Object.entries(each).map(([kind, ms]) => `${kind} ${ms.toFixed(1)}`);
    t.diagnostic(`${rows} rows: ms of a frame: ${kinds.join(", ")}; ${(frames.length / SECONDS).toFixed(0)} frames a second, ${at(0.5)} ms in the middle, ${at(0.95)} ms at p95`);
    return each.script + each.style + each.layout;
  };
  const drawn = () => page.evaluate(() => {
    const rows = [...document.querySelectorAll("[role=row][data-index]")];
    const seen = document.querySelector("[role=table]").parentElement.getBoundingClientRect();
    const beyond = rows.map((row) => row.getBoundingClientRect()).filter(({ top, bottom }) => bottom < seen.top || top > seen.bottom);
    return { beyond: beyond.length, elements: Math.max(...rows.map((row) => row.querySelectorAll("*").length)) };
  });
  const few = await measure(await page.evaluate(loadByScrolling, FEW));
  const loaded = await page.evaluate(loadByScrolling, ROWS);
  assert.ok(loaded >= ROWS, `${loaded} rows`);
  const many = await measure(loaded);
  assert.ok(many < MOST_MS && many < few * MOST_GROWTH, `${many} ms, and ${few} ms with few rows`);
  const { beyond, elements } = await drawn();
  assert.ok(beyond > 0 && beyond <= MOST_BEYOND, `${beyond} rows are drawn that nobody sees`);
  assert.ok(elements > 0 && elements <= MOST_ELEMENTS, `${elements} elements in a row`);
  const row = page.getByRole("row").nth(15);
  const time = row.getByRole("cell").first();
  await time.hover();
  assert.match(await time.getAttribute("title"), /20\d\d.* · /, "the whole time is told where the pointer is");
  await row.click();
  await page.getByRole("dialog").getByText("Answered with 200").waitFor();
  assertQuiet();
});

/** Goes to the end of what is there until so many rows are. In the page. */
async function loadByScrolling(rows) {
  const table = document.querySelector("[role=table]");
  const count = () => Number(table.getAttribute("aria-rowcount")) - 1;
  for (let before = 0; count() < rows; ) {
    before = count();
    for (const deadline = Date.now() + 60_000; count() === before && Date.now() < deadline; ) {
      table.parentElement.scrollTo(0, table.parentElement.scrollHeight);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (count() === before) break;
  }
  return count();
}

/** Scrolls up and down the whole table, a screen every few frames; the time of each frame. In the page. */
async function scroll(seconds) {
  const scroller = document.querySelector("[role=table]").parentElement;
  const frames = [];
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  scroller.scrollTo(0, 0);
  await frame();
  await frame();
  let step = 240;
  let before = performance.now();
  for (const end = before + seconds * 1000; before < end; ) {
    // Half of the time steadily, half of it leaping, as with the scroll bar.
    const isLeap = frames.length % 30 > 15;
    const by = isLeap ? step * 40 : step;
    const next = scroller.scrollTop + by;
    if (next < 0 || next + scroller.clientHeight * 2 > scroller.scrollHeight) step = -step;
    scroller.scrollBy(0, isLeap ? step * 40 : step);
    const now = await frame();
    frames.push(now - before);
    before = now;
  }
  return frames;
}
