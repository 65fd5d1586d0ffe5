// Claude Code, one shot.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { claude } from '../lib/claude-code.mjs';
import { gateway, key, refusing, usage, cacheWrite, wrongKey } from '../lib/target.mjs';

test('Claude Code gets its answer and its usage', async () => {
  const { code, stdout, stderr } = await claude(gateway, key);
  assert.equal(code, 0, stdout + stderr);
  const result = JSON.parse(stdout);
  assert.equal(result.is_error, false, stdout);
  assert.equal(result.result, 'PONG', stdout);
  assert.equal(result.usage.input_tokens, usage.input, stdout);
  assert.equal(result.usage.output_tokens, usage.output, stdout);
  assert.equal(result.usage.cache_read_input_tokens, usage.cacheRead, stdout);
  assert.equal(result.usage.cache_creation_input_tokens, cacheWrite, stdout);
  assert.deepEqual(result.usage.cache_creation, {
    ephemeral_5m_input_tokens: usage.cacheWrite5m,
    ephemeral_1h_input_tokens: usage.cacheWrite1h,
  });
  assert.ok(result.total_cost_usd > 0, stdout);
});

test('Claude Code reports a wrong key', async () => {
  const { code, stdout } = await claude(refusing, wrongKey);
  assert.notEqual(code, 0, stdout);
  assert.match(stdout, /401/);
});
