// How clients are pointed at the gateway: commands and files, ready to paste.
export const CLIENTS = ["claude-code", "codex", "gemini", "python", "node", "curl"] as const;
export type ClientName = (typeof CLIENTS)[number];

export const CLIENT_NAMES: Readonly<Record<ClientName, string>> = {
  "claude-code": "Claude Code",
  codex: "Codex",
  gemini: "Gemini CLI",
  python: "Python SDKs",
  node: "Node SDKs",
  curl: "curl",
};

export interface Step {
  /** The file's name, or where to type it. */
  label: string;
  code: string;
}

export function setUpOf(client: ClientName, origin: string, key: string): readonly Step[] {
  return STEPS[client](origin, key);
}

const json = (value: unknown) => JSON.stringify(value, null, 2);

const STEPS: Readonly<Record<ClientName, (origin: string, key: string) => readonly Step[]>> = {
  "claude-code": (origin, key) => [
    {
      label: "Shell",
      code: `export ANTHROPIC_BASE_URL=${origin}\nexport ANTHROPIC_AUTH_TOKEN=${key}\nexport CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1\nclaude`,
    },
    {
      label: "~/.claude/settings.json",
      code: json({ env: { ANTHROPIC_BASE_URL: origin, ANTHROPIC_AUTH_TOKEN: key, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" } }),
    },
  ],
  codex: (origin, key) => [
    {
      label: "~/.codex/config.toml",
      code: `model_provider = "switchyard"\n\n[model_providers.switchyard]\nname = "Switchyard"\nbase_url = "${origin}/v1"\nenv_key = "SWITCHYARD_KEY"\nwire_api = "responses"`,
    },
    { label: "Shell", code: `export SWITCHYARD_KEY=${key}\ncodex` },
  ],
  gemini: (origin, key) => [
    { label: "Shell", code: `export GOOGLE_GEMINI_BASE_URL=${origin}\nexport GEMINI_API_KEY=${key}\ngemini` },
    { label: "~/.gemini/settings.json", code: json({ security: { auth: { selectedType: "gemini-api-key" } } }) },
  ],
  python: (origin, key) => [
    { label: "anthropic", code: `import anthropic\n\nclient = anthropic.Anthropic(base_url="${origin}", auth_token="${key}")` },
    { label: "openai", code: `import openai\n\nclient = openai.OpenAI(base_url="${origin}/v1", api_key="${key}")` },
    {
      label: "google-genai",
      code: `from google import genai\n\nclient = genai.Client(api_key="${key}", http_options={"base_url": "${origin}"})`,
    },
  ],
  node: (origin, key) => [
    { label: "@anthropic-ai/sdk", code: `import Anthropic from "@anthropic-ai/sdk";\n\nconst client = new Anthropic({ baseURL: "${origin}", authToken: "${key}" });` },
    { label: "openai", code: `import OpenAI from "openai";\n\nconst client = new OpenAI({ baseURL: "${origin}/v1", apiKey: "${key}" });` },
    {
      label: "@google/genai",
      code: `import { GoogleGenAI } from "@google/genai";\n\nconst client = new GoogleGenAI({ apiKey: "${key}", httpOptions: { baseUrl: "${origin}" } });`,
    },
  ],
  curl: (origin, key) => [
    {
      label: "Anthropic Messages",
      code: `curl ${origin}/v1/messages \\\n  -H "Authorization: Bearer ${key}" \\\n  -H "anthropic-version: 2023-06-01" \\\n  -H "content-type: application/json" \\\n  -d '{"model":"claude-sonnet-4-5","max_tokens":64,"messages":[{"role":"user","content":"Hello"}]}'`,
    },
    {
      label: "OpenAI Responses",
      code: `curl ${origin}/v1/responses \\\n  -H "Authorization: Bearer ${key}" \\\n  -H "content-type: application/json" \\\n  -d '{"model":"gpt-5.1-codex","input":"Hello"}'`,
    },
    {
      label: "Gemini",
      code: `curl ${origin}/v1beta/models/gemini-2.5-pro:generateContent \\\n  -H "x-goog-api-key: ${key}" \\\n  -H "content-type: application/json" \\\n  -d '{"contents":[{"parts":[{"text":"Hello"}]}]}'`,
    },
  ],
};
