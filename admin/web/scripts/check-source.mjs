// House rules that the compiler does not know: no file above 300 lines, no `any`, nothing fetched from another origin.
import { readFile, readdir } from "node:fs/promises";

const MAX_LINES = 300;
const source = new URL("../src/", import.meta.url);
const RULES = [
  [/(:|<|\bas)\s*any\b/, "uses `any`"],
  [/@ts-(ignore|expect-error|nocheck)/, "switches the compiler off"],
  [/\bfetch\(\s*["'`]https?:/, "fetches from another origin"],
  [/dangerouslySetInnerHTML/, "writes HTML by hand"],
];

const problems = [];
for (const path of await readdir(source, { recursive: true })) {
  if (!/\.tsx?$/.test(path) || path.endsWith("schema.d.ts")) continue;
  const lines = (await readFile(new URL(path, source), "utf8")).split("\n");
  if (lines.length - 1 > MAX_LINES) problems.push(`src/${path}: ${lines.length - 1} lines, at most ${MAX_LINES} are allowed`);
  lines.forEach((line, index) => {
    for (const [pattern, what] of RULES) if (pattern.test(line)) problems.push(`src/${path}:${index + 1}: ${what}`);
  });
}
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
