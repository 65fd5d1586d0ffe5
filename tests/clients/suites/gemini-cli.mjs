// Gemini CLI, one shot.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runCli } from '../lib/cli.mjs';
import { gateway, key, prompt, refusing, usage, wrongKey } from '../lib/target.mjs';

export const gemini = (baseUrl, token, model) =>
  runCli({
    script: '@google/gemini-cli/bundle/gemini.js',
    args: ['--skip-trust', '-m', model, '-o', 'json', '-p', 'say PONG'],
    env: { GEMINI_API_KEY: token, GOOGLE_GEMINI_BASE_URL: baseUrl },
    files: {
      '.gemini/settings.json': JSON.stringify({
        security: { auth: { selectedType: 'gemini-api-key' } },
        general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false },
      }),
    },
  });

test('Gemini CLI gets its answer and its usage', async () => {
  const { code, stdout, stderr } = await gemini(gateway, key, 'gemini-2.5-pro');
  assert.equal(code, 0, stdout + stderr);
  const result = JSON.parse(stdout);
  assert.equal(result.response, 'PONG', stdout + stderr);
  const { tokens } = result.stats.models['gemini-2.5-pro'];
  assert.equal(tokens.prompt, prompt, stdout);
  assert.equal(tokens.cached, usage.cacheRead, stdout);
  assert.equal(tokens.candidates, usage.output - usage.reasoning, stdout);
  assert.equal(tokens.thoughts, usage.reasoning, stdout);
});

test('Gemini CLI lets the upstream choose the model', async () => {
  const { code, stdout, stderr } = await gemini(gateway, key, 'auto');
  assert.equal(code, 0, stdout + stderr);
  const result = JSON.parse(stdout);
  assert.equal(result.response, 'PONG', stdout + stderr);
  const roles = Object.values(result.stats.models).map(model => model.roles);
  const router = roles.find(role => role.utility_router)?.utility_router;
  // It asks again when the answer does not satisfy its schema.
  assert.deepEqual([router?.totalRequests, router?.totalErrors], [1, 0], stdout);
  assert.equal(roles.find(role => role.main)?.main.totalRequests, 1, stdout);
});

test('Gemini CLI reports a wrong key', async () => {
  const { code, stdout, stderr } = await gemini(refusing, wrongKey, 'gemini-2.5-pro');
  assert.notEqual(code, 0, stdout + stderr);
  assert.match(stdout + stderr, /401|UNAUTHENTICATED/);
});
