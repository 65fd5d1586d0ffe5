// What the clients are pointed at, and what its answers report.

import assert from 'node:assert/strict';

export { DEADLINE } from './cli.mjs';

const { GATEWAY, KEY } = process.env;
assert.ok(GATEWAY, 'GATEWAY must be the address to test, such as http://127.0.0.1:23000');
assert.ok(KEY, 'KEY must be a client key the gateway accepts');

/** The address, without a slash at its end. */
export const gateway = GATEWAY.replace(/\/+$/, '');
export const key = KEY;
/** A key whose user may spend nothing more. */
export const spentKey = process.env.SPENT_KEY;
export const wrongKey = 'sk-this-key-was-never-issued-0123456789abcdefghij';

/** The tokens the upstream reports, in disjoint buckets. USAGE overrides the mock's defaults. */
export const usage = {
  input: 25,
  output: 5,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  reasoning: 0,
  ...JSON.parse(process.env.USAGE ?? '{}'),
};
export const cacheWrite = usage.cacheWrite5m + usage.cacheWrite1h;
export const prompt = usage.input + usage.cacheRead + cacheWrite;
export const total = prompt + usage.output;

/** Whether this is the mock upstream itself, with no gateway before it: it accepts every key. */
export const isMock = await fetch(new URL('/_mock/health', gateway), { signal: AbortSignal.timeout(5_000) })
  .then(answer => answer.ok && answer.headers.get('content-type')?.startsWith('application/json') === true)
  .catch(() => false);

/**
 * Where a request with a wrong key is refused. The mock must be told to, and to forbid a retry: without that Claude Code
 * retries a 401 for minutes.
 */
export const refusing = isMock ? `${new URL(gateway).origin}/~status=401;header.x-should-retry=false` : gateway;
