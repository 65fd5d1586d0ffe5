// The Google GenAI SDK.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError, GoogleGenAI } from '@google/genai';

import { DEADLINE, gateway, key, prompt, refusing, total, usage, wrongKey } from '../lib/target.mjs';

const at = (baseUrl, apiKey, apiVersion) =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl, apiVersion, timeout: DEADLINE } });
const client = at(gateway, key);
const stranger = at(refusing, wrongKey);
const ask = { model: 'gemini-2.5-pro', contents: 'say PONG' };
const options = { timeout: DEADLINE };

function assertUsage(reported) {
  assert.equal(reported.promptTokenCount, prompt);
  assert.equal(reported.cachedContentTokenCount ?? 0, usage.cacheRead);
  assert.equal(reported.candidatesTokenCount, usage.output - usage.reasoning);
  assert.equal(reported.thoughtsTokenCount ?? 0, usage.reasoning);
  assert.equal(reported.totalTokenCount, total);
}

// The SDK's own choice of version has changed before; both are in use.
for (const version of [undefined, 'v1', 'v1beta']) {
  const client = at(gateway, key, version);
  const name = version ?? 'its own version';

  test(`GenAI SDK: content, ${name}`, options, async () => {
    const content = await client.models.generateContent(ask);
    assert.equal(content.text, 'PONG');
    assert.equal(content.candidates[0].finishReason, 'STOP');
    assertUsage(content.usageMetadata);
  });

  test(`GenAI SDK: streamed content, ${name}`, options, async () => {
    let [text, last] = ['', undefined];
    for await (const chunk of await client.models.generateContentStream(ask)) {
      text += chunk.text ?? '';
      last = chunk;
    }
    assert.equal(text, 'PONG');
    assertUsage(last.usageMetadata);
  });

  test(`GenAI SDK: models, ${name}`, options, async () => {
    const names = [];
    for await (const model of await client.models.list()) names.push(model.name);
    assert.ok(names.length > 0);
    assert.ok(names.every(name => name.startsWith('models/')), names);
  });
}

test('GenAI SDK: content in JSON', options, async () => {
  const responseSchema = {
    type: 'OBJECT',
    properties: { choice: { type: 'STRING', enum: ['flash', 'pro'] }, score: { type: 'INTEGER', minimum: 2 } },
  };
  const config = { responseMimeType: 'application/json', responseSchema };
  const content = await client.models.generateContent({ ...ask, config });
  assert.deepEqual(JSON.parse(content.text), { choice: 'flash', score: 2 });
});

test('GenAI SDK: token count and embeddings', options, async () => {
  assert.equal((await client.models.countTokens(ask)).totalTokens, prompt);
  const embedded = await client.models.embedContent({ model: 'gemini-embedding-001', contents: ['a'] });
  assert.ok(embedded.embeddings[0].values.length > 0);
});

test('GenAI SDK: a wrong key', options, async () => {
  const refused = error => {
    assert.ok(error instanceof ApiError, error);
    assert.equal(error.status, 401);
    assert.match(error.message, /UNAUTHENTICATED/);
    return true;
  };
  await assert.rejects(stranger.models.generateContent(ask), refused);
  await assert.rejects(stranger.models.generateContentStream(ask), refused);
});
