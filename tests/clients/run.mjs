// The real clients, unmodified, against a gateway whose upstream is the mock (see README.md).

import './suites/claude-code.mjs';
import './suites/codex.mjs';
import './suites/gemini-cli.mjs';
import './suites/anthropic-sdk.mjs';
import './suites/openai-sdk.mjs';
import './suites/genai-sdk.mjs';
import './suites/limits.mjs';
