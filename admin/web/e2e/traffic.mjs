// A gateway as a small company would run it: providers, people, keys and rules, and a morning's requests through them.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { eventually } from "./gateway.mjs";

const HISTORY = fileURLToPath(new URL("history.py", import.meta.url));
const DAYS = 31;
const REQUESTS_A_DAY = 2000;

const AGENTS = {
  "claude-code": "claude-cli/2.1.197 (external, cli)",
  codex: "codex_cli_rs/0.169.0 (Ubuntu 24.04; x86_64) unknown",
  "gemini-cli": "GeminiCLI/0.61.0/gemini-2.5-pro (linux; x64)",
  "openai-sdk": "OpenAI/Python 2.8.1",
  "anthropic-sdk": "Anthropic/JS 1.11.0",
};

/** What the mock answers under a name, each time a little differently. */
const MANNERS = {
  anthropic: { delayMs: 140, contentDelayMs: 380, chunks: 14, chunkDelayMs: 90, input: 2100, cacheRead: 46000, cacheWrite5m: 3200, output: 740 },
  relay: { delayMs: 210, contentDelayMs: 520, chunks: 12, chunkDelayMs: 110, input: 3400, cacheRead: 31000, cacheWrite5m: 2800, output: 610 },
  openai: { delayMs: 180, contentDelayMs: 640, chunks: 10, chunkDelayMs: 120, input: 9800, cacheRead: 22000, output: 1250, reasoning: 620 },
  google: { delayMs: 120, contentDelayMs: 310, chunks: 8, chunkDelayMs: 80, input: 14200, output: 980, reasoning: 240 },
  house: { delayMs: 60, contentDelayMs: 140, chunks: 12, chunkDelayMs: 40, input: 5200, output: 420 },
  busy: { status: 529, errorMessage: "Overloaded" },
  down: { status: 503, errorMessage: "upstream connect error or disconnect/reset before headers" },
  slow: { delayMs: 200, contentDelayMs: 400, chunks: 600, chunkDelayMs: 250, text: "word ".repeat(600) },
};

const PROVIDERS = [
  { name: "anthropic-direct", type: "claude", manner: "anthropic", weight: 6, priority: 0, groupTags: ["default", "research"] },
  { name: "anthropic-relay-eu", type: "claude", manner: "relay", weight: 3, priority: 0, costMultiplier: "0.8", limitDailyUsd: "120" },
  { name: "anthropic-spare", type: "claude-auth", manner: "relay", weight: 1, priority: 10 },
  { name: "relay-berlin", type: "claude", manner: "busy", weight: 2, priority: -1, groupTags: ["research"] },
  { name: "openai-platform", type: "codex", manner: "openai", weight: 5 },
  { name: "openai-relay", type: "codex", manner: "down", weight: 2, groupTags: ["edge"] },
  { name: "google-ai", type: "gemini", manner: "google", weight: 5 },
  { name: "house-gpu", type: "openai-compatible", manner: "house", weight: 4, note: "The two H200 in the basement" },
  { name: "old-reseller", type: "claude", manner: "relay", weight: 1, isEnabled: false, note: "Contract ended in October" },
];

const PEOPLE = [
  { name: "Mira Sandoval", tags: ["platform"], limitDailyUsd: "40", client: "claude-code", model: "claude-opus-4-5", asks: 6 },
  { name: "Jonas Weber", tags: ["platform"], limitMonthlyUsd: "500", client: "claude-code", model: "claude-sonnet-4-5", asks: 5 },
  { name: "Yuki Tanaka", tags: ["research"], providerGroup: "research,default", client: "claude-code", model: "claude-sonnet-4-5", asks: 4 },
  { name: "Priya Raman", tags: ["mobile"], client: "codex", model: "gpt-5.1-codex", asks: 5 },
  { name: "Tomasz Nowak", tags: ["mobile"], client: "codex", model: "gpt-5.1", asks: 3 },
  { name: "Lena Fischer", tags: ["data"], client: "gemini-cli", model: "gemini-2.5-pro", asks: 4 },
  { name: "Review bot", tags: ["machines"], rpm: 60, client: "anthropic-sdk", model: "claude-haiku-4-5", asks: 6 },
  { name: "Edge canary", tags: ["machines"], providerGroup: "edge", client: "codex", model: "gpt-5.1", asks: 1 },
  { name: "Nightly evaluation", tags: ["machines"], limitConcurrentRequests: 8, client: "openai-sdk", model: "qwen3-coder-480b", asks: 4 },
];

const PATHS = {
  "claude-code": () => "/v1/messages",
  "anthropic-sdk": () => "/v1/messages",
  codex: () => "/v1/responses",
  "openai-sdk": () => "/v1/chat/completions",
  "gemini-cli": (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
};

const body = (client, model, text) => {
  if (client === "codex") return { model, stream: true, input: text };
  if (client === "gemini-cli") return { contents: [{ role: "user", parts: [{ text }] }] };
  return { model, max_tokens: 4096, stream: true, messages: [{ role: "user", content: text }] };
};

/** A client's request; its answer is read to the end. */
export async function call(gateway, { key, client, model, session, text = "Why does the build fail?", signal = AbortSignal.timeout(60_000) }) {
  const answer = await fetch(`${gateway.url}${PATHS[client](model)}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`, "content-type": "application/json", "anthropic-version": "2023-06-01", "user-agent": AGENTS[client],
      ...(session && { "x-claude-code-session-id": session, "session-id": session, "x-session-id": session }),
    },
    body: JSON.stringify(body(client, model, text)),
    signal,
  });
  await answer.text();
  return answer.status;
}

async function behave(gateway, name, manner) {
  const answer = await fetch(`${gateway.mockUrl}/_mock/behaviours/${name}`, { method: "PUT", body: JSON.stringify(manner), headers: { "content-type": "application/json" } });
  if (!answer.ok) throw new Error(`PUT ${name}: ${answer.status} ${await answer.text()}`);
}

/** The same every time. */
function dice(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Furnishes the gateway, lets people ask, and gives it a past; then it has served for a month. */
export async function furnish(gateway) {
  for (const [name, manner] of Object.entries(MANNERS)) await behave(gateway, name, manner);
  for (const { manner, ...provider } of PROVIDERS) {
    await gateway.admin("POST", "/providers", { ...provider, url: `${gateway.mockUrl}/b/${manner}`, apiKey: `upstream-${provider.name}` });
  }
  await gateway.admin("POST", "/provider-groups", { name: "research", costMultiplier: "1", note: "Has its own budget" });
  const days = (count) => new Date(Date.now() + count * 86_400_000).toISOString();
  const people = [];
  for (const { client, model, asks, ...user } of PEOPLE) {
    const { id } = await gateway.admin("POST", "/users", user);
    const isPerson = !user.tags.includes("machines");
    const made = await gateway.admin("POST", `/users/${id}/keys`, { name: isPerson ? "laptop" : "server", canLoginWebUi: isPerson, ...(user.name === "Jonas Weber" && { expiresAt: days(3), limitMonthlyUsd: "400" }) });
    people.push({ ...user, id, client, model, asks, key: made.key, keyId: made.id });
  }
  const mira = people[0];
  await gateway.admin("POST", `/users/${mira.id}/keys`, { name: "desktop", limitMonthlyUsd: "60" });
  await gateway.admin("POST", "/users", { name: "Agency, until March", tags: ["guests"], isEnabled: false });
  const rule = (name, pattern, more) => gateway.admin("POST", "/error-rules", { name, pattern, match: "contains", fault: "client", ...more });
  await rule("Prompt too long", "prompt is too long", { overrideStatus: 413, overrideMessage: "Compact the conversation, then ask again." });
  await rule("Out of credit", "credit balance is too low", { fault: "key", priority: 10 });
  await rule("Reseller's blank page", "<html", { fault: "provider", priority: 20, isEnabled: false });
  await ask(gateway, people);
  const made = people.reduce((sum, { asks }) => sum + asks, 0);
  await eventually(async () => (await gateway.admin("GET", "/usage/totals")).requests >= made);
  await gateway.restart((database) => promisify(execFile)("python3", [HISTORY, database, String(DAYS), String(REQUESTS_A_DAY)]));
  for (const [at, limit, share] of [[0, "limitMonthlyUsd", 0.91], [2, "limitMonthlyUsd", 0.64], [3, "limitWeeklyUsd", 0.83], [5, "limitMonthlyUsd", 0.37]]) {
    await limitTo(gateway, `/users/${people[at].id}`, limit, share);
  }
  await limitTo(gateway, "/providers/1", "limitMonthlyUsd", 0.58);
  await limitTo(gateway, "/providers/5", "limitMonthlyUsd", 0.42);
  return people;
}

/** Sets a limit of which such a share is used, whatever the day of the month. */
async function limitTo(gateway, path, limit, share) {
  const used = await gateway.admin("GET", `${path}/usage`);
  const { costUsd } = limit === "limitWeeklyUsd" ? used.week : used.month;
  await gateway.admin("PATCH", path, { [limit]: String(Math.max(1, Math.round(Number(costUsd) / share))) });
}

/** Everybody asks a few times, all beside each other, of providers that answer now like this and now like that. */
export async function ask(gateway, people, most = Math.max(...people.map(({ asks }) => asks))) {
  const roll = dice(6);
  for (let round = 0; round < most; round++) {
    for (const [name, manner] of Object.entries(MANNERS)) {
      if (manner.status || name === "slow") continue;
      const vary = (value, spread) => Math.round(value * (1 - spread + 2 * spread * roll()));
      const varied = Object.fromEntries(Object.entries(manner).map(([field, value]) => [field, vary(value, field === "chunks" ? 0.4 : 0.5)]));
      await behave(gateway, name, { ...varied, text: "The test expects UTC and the machine is in Berlin. ".repeat(8) });
    }
    await Promise.all(
      people.filter(({ asks }) => asks > round).map(({ key, client, model, name }) => call(gateway, { key, client, model, session: `${name.slice(0, 4).toLowerCase().trim()}-${round % 2}f3a-91c2`, text: `Question ${round}` })),
    );
  }
}

/** A provider fails until its breaker opens. */
export async function breakOne(gateway, people) {
  const { key, client, model } = people.find(({ providerGroup }) => providerGroup === "edge");
  await eventually(async () => {
    await call(gateway, { key, client, model });
    return (await gateway.admin("GET", "/breakers")).items.some(({ state }) => state === "open");
  });
}

/** Some requests that take long, so that there is something to look at; ends them when told to. */
export async function linger(gateway, people) {
  const stop = new AbortController();
  for (const name of ["anthropic", "relay", "openai"]) await behave(gateway, name, MANNERS.slow);
  const asked = people.slice(0, 3).map(({ key, client, model }, at) => call(gateway, { key, client, model, session: `live-${at}c7d-40aa`, signal: stop.signal }).catch(() => undefined));
  await eventually(async () => (await gateway.admin("GET", "/requests/live")).items.filter(({ responseBytes }) => responseBytes > 0).length === asked.length);
  for (const name of ["anthropic", "relay", "openai"]) await behave(gateway, name, MANNERS[name]);
  return async () => {
    stop.abort();
    await Promise.all(asked);
  };
}
