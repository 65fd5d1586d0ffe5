import assert from "node:assert/strict";
import { test } from "node:test";

import { PLATFORMS, PROGRAMS, snippetsFor } from "@/lib/setup";

const target = { origin: "https://hub.example", key: "sk-secret" };

test("every program is told the address and the key", () => {
  for (const platform of PLATFORMS) {
    for (const program of PROGRAMS) {
      const text = snippetsFor(program, { ...target, platform }).map((snippet) => snippet.text).join("\n");
      assert.ok(text.includes("https://hub.example"), `${program} on ${platform} lacks the address`);
      assert.ok(text.includes("sk-secret"), `${program} on ${platform} lacks the key`);
    }
  }
});

test("paths are those each program adds to itself", () => {
  const of = (program: (typeof PROGRAMS)[number]) => snippetsFor(program, { ...target, platform: "unix" }).map(({ text }) => text).join("\n");
  assert.match(of("codex"), /base_url = "https:\/\/hub\.example\/v1"/);
  assert.match(of("openai"), /hub\.example\/v1"/);
  assert.doesNotMatch(of("claude"), /hub\.example\/v1/);
  assert.doesNotMatch(of("google"), /hub\.example\/v1/);
});

test("settings files are JSON", () => {
  for (const program of ["claude", "gemini"] as const) {
    const file = snippetsFor(program, { ...target, platform: "unix" }).find(({ title }) => title.endsWith("settings.json"));
    assert.ok(file);
    assert.doesNotThrow(() => JSON.parse(file.text) as unknown);
  }
});

test("Windows gets paths and variables of its own", () => {
  const titles = snippetsFor("claude", { ...target, platform: "windows" }).map(({ title }) => title);
  assert.ok(titles.includes("%USERPROFILE%\\.claude\\settings.json"));
  assert.ok(titles.includes("PowerShell"));
});
