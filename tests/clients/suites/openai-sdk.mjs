// The OpenAI SDK.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import OpenAI from 'openai';

import { DEADLINE, gateway, key, prompt, refusing, total, usage, wrongKey } from '../lib/target.mjs';

const client = new OpenAI({ baseURL: `${gateway}/v1`, apiKey: key, timeout: DEADLINE, maxRetries: 0 });
const stranger = new OpenAI({ baseURL: `${refusing}/v1`, apiKey: wrongKey, timeout: DEADLINE, maxRetries: 0 });
const model = 'gpt-5.6';
const chat = { model, messages: [{ role: 'user', content: 'say PONG' }] };
const options = { timeout: DEADLINE };

function assertChatUsage(reported) {
  assert.equal(reported.prompt_tokens, prompt);
  assert.equal(reported.completion_tokens, usage.output);
  assert.equal(reported.total_tokens, total);
  assert.equal(reported.prompt_tokens_details.cached_tokens, usage.cacheRead);
  assert.equal(reported.completion_tokens_details.reasoning_tokens, usage.reasoning);
}

function assertResponse(response) {
  assert.equal(response.status, 'completed');
  assert.equal(response.model, model);
  assert.equal(response.output[0].content[0].text, 'PONG');
  assert.equal(response.usage.input_tokens, prompt);
  assert.equal(response.usage.input_tokens_details.cached_tokens, usage.cacheRead);
  assert.equal(response.usage.output_tokens, usage.output);
  assert.equal(response.usage.output_tokens_details.reasoning_tokens, usage.reasoning);
}

test('OpenAI SDK: a chat completion', options, async () => {
  const completion = await client.chat.completions.create(chat);
  assert.equal(completion.choices[0].message.content, 'PONG');
  assert.equal(completion.choices[0].finish_reason, 'stop');
  assertChatUsage(completion.usage);
});

test('OpenAI SDK: a streamed chat completion', options, async () => {
  const stream = client.chat.completions.stream({ ...chat, stream_options: { include_usage: true } });
  const completion = await stream.finalChatCompletion();
  assert.equal(completion.choices[0].message.content, 'PONG');
  assertChatUsage(await stream.totalUsage());
});

test('OpenAI SDK: a streamed chat completion without usage', options, async () => {
  let text = '';
  for await (const chunk of await client.chat.completions.create({ ...chat, stream: true })) {
    assert.equal(chunk.usage ?? null, null);
    text += chunk.choices[0].delta.content ?? '';
  }
  assert.equal(text, 'PONG');
});

test('OpenAI SDK: a response', options, async () => {
  const response = await client.responses.create({ model, input: 'say PONG' });
  assertResponse(response);
  assert.equal(response.output_text, 'PONG');
});

test('OpenAI SDK: a streamed response', options, async () => {
  const stream = client.responses.stream({ model, input: 'say PONG' });
  let [text, last] = ['', -1];
  for await (const event of stream) {
    assert.equal(event.sequence_number, last + 1, event.type);
    last = event.sequence_number;
    if (event.type === 'response.output_text.delta') text += event.delta;
  }
  assert.equal(text, 'PONG');
  assertResponse(await stream.finalResponse());
});

test('OpenAI SDK: a compacted response', options, async () => {
  const compacted = await client.responses.compact({ model, input: 'say PONG' });
  assert.equal(compacted.object, 'response.compaction');
  assert.equal(compacted.output[0].type, 'compaction');
  assert.equal(compacted.usage.total_tokens, total);
});

test('OpenAI SDK: a completion, whole and streamed', options, async () => {
  const completion = await client.completions.create({ model, prompt: 'say PONG' });
  assert.equal(completion.choices[0].text, 'PONG');
  assert.equal(completion.usage.total_tokens, total);
  let text = '';
  for await (const chunk of await client.completions.create({ model, prompt: 'say PONG', stream: true })) {
    text += chunk.choices[0].text;
  }
  assert.equal(text, 'PONG');
});

test('OpenAI SDK: embeddings and models', options, async () => {
  const ask = { model: 'text-embedding-3-small', input: ['a', 'b'] };
  const encoded = await client.embeddings.create(ask);
  const plain = await client.embeddings.create({ ...ask, encoding_format: 'float' });
  assert.equal(encoded.data.length, 2);
  assert.deepEqual([...encoded.data[1].embedding], plain.data[1].embedding);
  assert.equal(plain.usage.prompt_tokens, prompt);
  const models = await client.models.list();
  assert.ok(models.data.length > 0);
  assert.ok(models.data.every(({ object, id }) => object === 'model' && id));
});

test('OpenAI SDK: a wrong key', options, async () => {
  const refused = error => {
    assert.ok(error instanceof OpenAI.AuthenticationError, error);
    assert.equal(error.status, 401);
    assert.ok(error.message.length > '401 '.length, 'the answer has a message');
    assert.ok(error.requestID, 'the answer names its request');
    return true;
  };
  await assert.rejects(stranger.chat.completions.create(chat), refused);
  await assert.rejects(stranger.chat.completions.create({ ...chat, stream: true }), refused);
  await assert.rejects(stranger.responses.create({ model, input: 'hi' }), refused);
  await assert.rejects(stranger.responses.create({ model, input: 'hi', stream: true }), refused);
});
