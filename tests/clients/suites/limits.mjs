// What each client makes of a budget that is spent: it stops at once and shows what we say. How often it asked is looked at afterwards, in
// the request log (scripts/check-requests.mjs).

import assert from 'node:assert/strict';
import { test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';

import { claude } from '../lib/claude-code.mjs';
import { codex } from './codex.mjs';
import { gemini } from './gemini-cli.mjs';
import { gateway, isMock, spentKey } from '../lib/target.mjs';

const options = { skip: isMock && 'the fake provider has no budgets' };
const ours = /has spent \$0\.00 of \$0\.00/;
const prompt = [{ role: 'user', content: 'say PONG' }];

test('Claude Code stops when the budget is spent', options, async () => {
  const { code, stdout, stderr } = await claude(gateway, spentKey);
  assert.notEqual(code, 0, stdout + stderr);
  assert.match(stdout + stderr, ours);
});

test('Codex stops when the budget is spent', options, async () => {
  const { code, stdout, stderr } = await codex(gateway, spentKey);
  assert.notEqual(code, 0, stdout + stderr);
  // Its own words for `usage_limit_reached`.
  assert.match(stdout + stderr, /usage limit/i);
});

test('Gemini CLI stops when the budget is spent', options, async () => {
  const { code, stdout, stderr } = await gemini(gateway, spentKey, 'gemini-2.5-pro');
  assert.notEqual(code, 0, stdout + stderr);
  assert.match(stdout + stderr, ours);
});

test('the SDKs stop when the budget is spent', options, async () => {
  const refused = error => {
    assert.equal(error.status, 429, error);
    assert.match(error.message, ours);
    return true;
  };
  const anthropic = new Anthropic({ baseURL: gateway, apiKey: spentKey });
  await assert.rejects(
    anthropic.messages.create({ model: 'claude-sonnet-4-5', max_tokens: 16, messages: prompt }),
    refused,
  );
  const openai = new OpenAI({ baseURL: `${gateway}/v1`, apiKey: spentKey });
  await assert.rejects(openai.chat.completions.create({ model: 'gpt-5.6', messages: prompt }), refused);
  await assert.rejects(openai.responses.create({ model: 'gpt-5.6', input: 'say PONG' }), refused);
  const genai = new GoogleGenAI({ apiKey: spentKey, httpOptions: { baseUrl: gateway } });
  await assert.rejects(genai.models.generateContent({ model: 'gemini-2.5-pro', contents: 'say PONG' }), refused);
});
