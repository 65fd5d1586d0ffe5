// The Anthropic SDK.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';

import { cacheWrite, DEADLINE, gateway, key, prompt, refusing, usage, wrongKey } from '../lib/target.mjs';

const client = new Anthropic({ baseURL: gateway, apiKey: key, timeout: DEADLINE, maxRetries: 0 });
const stranger = new Anthropic({ baseURL: refusing, apiKey: wrongKey, timeout: DEADLINE, maxRetries: 0 });
const ask = {
  model: 'claude-sonnet-4-6',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'say PONG' }],
};
const options = { timeout: DEADLINE };

function assertMessage(message) {
  assert.equal(message.model, ask.model);
  assert.deepEqual(
    message.content.map(({ type, text }) => ({ type, text })),
    [{ type: 'text', text: 'PONG' }],
  );
  assert.equal(message.stop_reason, 'end_turn');
  assert.equal(message.usage.input_tokens, usage.input);
  assert.equal(message.usage.output_tokens, usage.output);
  assert.equal(message.usage.cache_read_input_tokens, usage.cacheRead);
  assert.equal(message.usage.cache_creation_input_tokens, cacheWrite);
}

test('Anthropic SDK: a message', options, async () => {
  assertMessage(await client.messages.create(ask));
});

test('Anthropic SDK: a streamed message', options, async () => {
  const stream = client.messages.stream(ask);
  let text = '';
  stream.on('text', delta => (text += delta));
  assertMessage(await stream.finalMessage());
  assert.equal(text, 'PONG');
});

test('Anthropic SDK: token count and models', options, async () => {
  const { model, messages } = ask;
  assert.equal((await client.messages.countTokens({ model, messages })).input_tokens, prompt);
  const models = await client.models.list();
  assert.ok(models.data.length > 0);
  assert.ok(models.data.every(({ type, id }) => type === 'model' && id));
});

test('Anthropic SDK: a wrong key', options, async () => {
  const refused = error => {
    assert.ok(error instanceof Anthropic.AuthenticationError, error);
    assert.equal(error.status, 401);
    assert.equal(error.error.error.type, 'authentication_error');
    assert.ok(error.requestID, 'the answer names its request');
    return true;
  };
  await assert.rejects(stranger.messages.create(ask), refused);
  await assert.rejects(stranger.messages.stream(ask).finalMessage(), refused);
});
