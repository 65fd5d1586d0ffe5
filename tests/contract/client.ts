// What a script in TypeScript does with the gateway: the types come from the document, so that this compiles is half of the test.

import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { paths } from "./schema.js";

const { GATEWAY, ADMIN_TOKEN } = process.env;
const api = createClient<paths>({ baseUrl: GATEWAY, headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } });

function answered<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

const user = answered(await api.POST("/api/v1/users", { body: { name: "ts", limitDailyUsd: "2.50" } }));
assert.equal(user.limitDailyUsd, "2.5");
const path = { id: user.id };
const key = answered(await api.POST("/api/v1/users/{id}/keys", { params: { path }, body: { name: "laptop" } }));
assert.match(key.key, /^sk-/);

const renamed = answered(await api.PATCH("/api/v1/users/{id}", { params: { path }, body: { note: "by a script" } }));
assert.equal(renamed.note, "by a script");

// Every page, by the cursor.
const names: string[] = [];
let cursor: string | undefined;
do {
  const page = answered(await api.GET("/api/v1/users", { params: { query: { limit: 1, cursor } } }));
  names.push(...page.items.map((item) => item.name));
  cursor = page.nextCursor ?? undefined;
} while (cursor);
assert.ok(names.includes("ts"), names.join());

const limits = answered(await api.GET("/api/v1/keys/{id}/limits", { params: { path: { id: key.id } } }));
assert.equal(limits.limitTotalUsd.limit, null);

const wrong = await api.POST("/api/v1/users", { body: { name: "" } });
assert.equal(wrong.response.status, 422);
assert.equal(wrong.error?.errors?.[0]?.path, "name");

const gone = await api.DELETE("/api/v1/users/{id}", { params: { path } });
assert.equal(gone.response.status, 204);
