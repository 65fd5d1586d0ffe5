// How programs are pointed at the gateway: the texts one copies. Pages that show a new key use the same ones.

export const PLATFORMS = ["unix", "windows"] as const;
export type Platform = (typeof PLATFORMS)[number];

export const PROGRAMS = ["claude", "codex", "gemini", "anthropic", "openai", "google", "curl"] as const;
export type Program = (typeof PROGRAMS)[number];

export const PROGRAM_NAMES: Readonly<Record<Program, string>> = {
  claude: "Claude Code",
  codex: "Codex",
  gemini: "Gemini CLI",
  anthropic: "Anthropic SDK",
  openai: "OpenAI SDK",
  google: "Google SDK",
  curl: "curl",
};

/** The reader's own, as far as the browser tells. */
export const platformHere = (): Platform => (/Win/.test(navigator.userAgent) ? "windows" : "unix");

/** The title of a command; every other title is a file, a program or a package, and the same in all languages. */
export const TERMINAL = "Terminal";

export interface Snippet {
  /** The file it goes into, or who reads it. */
  title: string;
  text: string;
}

export interface Target {
  /** The gateway's address, without a slash at the end. */
  origin: string;
  key: string;
  platform: Platform;
}

/** Stands where the reader's key goes. */
export const KEY_PLACE = "sk-YOUR-KEY";

function variables(pairs: readonly (readonly [string, string])[], platform: Platform): Snippet {
  return platform === "windows"
    ? { title: "PowerShell", text: pairs.map(([name, value]) => `[Environment]::SetEnvironmentVariable("${name}", "${value}", "User")`).join("\n") }
    : { title: "~/.zshrc, ~/.bashrc", text: pairs.map(([name, value]) => `export ${name}=${value}`).join("\n") };
}

const home = (platform: Platform, path: string) => (platform === "windows" ? `%USERPROFILE%\\${path.replaceAll("/", "\\")}` : `~/${path}`);
const json = (value: unknown) => JSON.stringify(value, null, 2);

/** The steps of a program, in the order they are done in. */
export function snippetsFor(program: Program, target: Target): Snippet[] {
  const { origin, key, platform } = target;
  switch (program) {
    case "claude":
      return claude(target);
    case "codex":
      return codex(target);
    case "gemini":
      return gemini(target);
    case "anthropic":
      return [
        { title: "Python · anthropic", text: `from anthropic import Anthropic\n\nclient = Anthropic(base_url="${origin}", auth_token="${key}")\n\nwith client.messages.stream(\n    model="claude-sonnet-4-5",\n    max_tokens=1024,\n    messages=[{"role": "user", "content": "Say PONG"}],\n) as stream:\n    for text in stream.text_stream:\n        print(text, end="")` },
        { title: "JavaScript · @anthropic-ai/sdk", text: `import Anthropic from "@anthropic-ai/sdk";\n\nconst client = new Anthropic({ baseURL: "${origin}", authToken: "${key}" });\n\nconst message = await client.messages.create({\n  model: "claude-sonnet-4-5",\n  max_tokens: 1024,\n  messages: [{ role: "user", content: "Say PONG" }],\n});\nconsole.log(message.content);` },
      ];
    case "openai":
      return [
        { title: "Python · openai", text: `from openai import OpenAI\n\nclient = OpenAI(base_url="${origin}/v1", api_key="${key}")\n\nresponse = client.responses.create(model="gpt-5.1", input="Say PONG")\nprint(response.output_text)` },
        { title: "JavaScript · openai", text: `import OpenAI from "openai";\n\nconst client = new OpenAI({ baseURL: "${origin}/v1", apiKey: "${key}" });\n\nconst response = await client.responses.create({ model: "gpt-5.1", input: "Say PONG" });\nconsole.log(response.output_text);` },
      ];
    case "google":
      return [
        { title: "Python · google-genai", text: `from google import genai\nfrom google.genai import types\n\nclient = genai.Client(\n    api_key="${key}",\n    http_options=types.HttpOptions(base_url="${origin}"),\n)\n\nanswer = client.models.generate_content(model="gemini-2.5-pro", contents="Say PONG")\nprint(answer.text)` },
        { title: "JavaScript · @google/genai", text: `import { GoogleGenAI } from "@google/genai";\n\nconst client = new GoogleGenAI({ apiKey: "${key}", httpOptions: { baseUrl: "${origin}" } });\n\nconst answer = await client.models.generateContent({ model: "gemini-2.5-pro", contents: "Say PONG" });\nconsole.log(answer.text);` },
      ];
    case "curl":
      return curl(origin, key, platform);
  }
}

function claude({ origin, key, platform }: Target): Snippet[] {
  const settings = { ANTHROPIC_BASE_URL: origin, ANTHROPIC_AUTH_TOKEN: key, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" };
  return [
    { title: "npm", text: "npm install -g @anthropic-ai/claude-code" },
    { title: home(platform, ".claude/settings.json"), text: json({ env: settings }) },
    variables(Object.entries(settings), platform),
    { title: TERMINAL, text: 'claude -p "say PONG"' },
  ];
}

function codex({ origin, key, platform }: Target): Snippet[] {
  return [
    { title: "npm", text: "npm install -g @openai/codex" },
    {
      title: home(platform, ".codex/config.toml"),
      text: `model_provider = "switchyard"\n\n[model_providers.switchyard]\nname = "Switchyard"\nbase_url = "${origin}/v1"\nenv_key = "SWITCHYARD_KEY"\nwire_api = "responses"`,
    },
    variables([["SWITCHYARD_KEY", key]], platform),
    { title: TERMINAL, text: 'codex exec --skip-git-repo-check "say PONG"' },
  ];
}

function gemini({ origin, key, platform }: Target): Snippet[] {
  return [
    { title: "npm", text: "npm install -g @google/gemini-cli" },
    { title: home(platform, ".gemini/.env"), text: `GOOGLE_GEMINI_BASE_URL=${origin}\nGEMINI_API_KEY=${key}` },
    { title: home(platform, ".gemini/settings.json"), text: json({ security: { auth: { selectedType: "gemini-api-key" } } }) },
    { title: TERMINAL, text: 'gemini --skip-trust -m gemini-2.5-pro -p "say PONG"' },
  ];
}

interface Call {
  title: string;
  path: string;
  header: string;
  body: unknown;
}

function curl(origin: string, key: string, platform: Platform): Snippet[] {
  const say = [{ role: "user", content: "Say PONG" }];
  const calls: Call[] = [
    { title: "Anthropic Messages", path: "/v1/messages", header: `x-api-key: ${key}`, body: { model: "claude-sonnet-4-5", max_tokens: 256, messages: say } },
    { title: "OpenAI Responses", path: "/v1/responses", header: `Authorization: Bearer ${key}`, body: { model: "gpt-5.1", input: "Say PONG" } },
    { title: "OpenAI Chat Completions", path: "/v1/chat/completions", header: `Authorization: Bearer ${key}`, body: { model: "gpt-4.1-mini", messages: say } },
    { title: "Gemini", path: "/v1beta/models/gemini-2.5-pro:generateContent", header: `x-goog-api-key: ${key}`, body: { contents: [{ role: "user", parts: [{ text: "Say PONG" }] }] } },
  ];
  return calls.map(({ title, path, header, body }) => {
    const version = path === "/v1/messages" ? ["anthropic-version: 2023-06-01"] : [];
    const headers = ["Content-Type: application/json", header, ...version];
    const text =
      platform === "windows"
        ? `$body = '${JSON.stringify(body)}'\nInvoke-RestMethod -Method Post -Uri "${origin}${path}" -ContentType "application/json" \`\n  -Headers @{ ${headers.slice(1).map((each) => `"${each.replace(": ", '" = "')}"`).join("; ")} } -Body $body`
        : `curl ${origin}${path} \\\n${headers.map((each) => `  -H '${each}' \\`).join("\n")}\n  -d '${JSON.stringify(body)}'`;
    return { title, text };
  });
}
