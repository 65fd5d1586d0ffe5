// Codex, one shot.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runCli } from '../lib/cli.mjs';
import { gateway, key, prompt, refusing, usage, wrongKey } from '../lib/target.mjs';

export const codex = (baseUrl, token) =>
  runCli({
    script: '@openai/codex/bin/codex.js',
    args: ['exec', '--json', '--skip-git-repo-check', 'say PONG'],
    env: { HUB_KEY: token },
    files: {
      '.codex/config.toml': `
model = "gpt-5.6"
model_provider = "hub"
check_for_update_on_startup = false

[model_providers.hub]
name = "hub"
base_url = ${JSON.stringify(`${baseUrl}/v1`)}
env_key = "HUB_KEY"
wire_api = "responses"

[analytics]
enabled = false
`,
    },
  });

const events = stdout =>
  stdout
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line));

test('Codex gets its answer and its usage', async () => {
  const { code, stdout, stderr } = await codex(gateway, key);
  assert.equal(code, 0, stdout + stderr);
  const said = events(stdout).find(event => event.type === 'item.completed' && event.item.type === 'agent_message');
  assert.equal(said?.item.text, 'PONG', stdout + stderr);
  const turn = events(stdout).find(event => event.type === 'turn.completed');
  assert.equal(turn?.usage.input_tokens, prompt, stdout);
  assert.equal(turn.usage.cached_input_tokens, usage.cacheRead, stdout);
  assert.equal(turn.usage.output_tokens, usage.output, stdout);
});

test('Codex reports a wrong key', async () => {
  const { code, stdout, stderr } = await codex(refusing, wrongKey);
  assert.notEqual(code, 0, stdout + stderr);
  assert.match(stdout, /401/, stderr);
});
