// Claude Code, asked once: pointed at a gateway the way its user would, by its environment.

import { runCli } from './cli.mjs';

/** Says PONG, and prints its result as JSON. */
export const claude = (baseUrl, token) =>
  runCli({
    script: '@anthropic-ai/claude-code/cli-wrapper.cjs',
    args: ['-p', 'say PONG', '--output-format', 'json'],
    env: {
      ANTHROPIC_BASE_URL: baseUrl,
      ANTHROPIC_AUTH_TOKEN: token,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
    },
  });
