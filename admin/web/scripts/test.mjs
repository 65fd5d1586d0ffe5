// Runs tests/*.test.ts with Node's own runner, bundled by the esbuild that Vite brings.
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const out = await mkdtemp(join(tmpdir(), "switchyard-web-"));
try {
  const entries = (await readdir(join(root, "tests"))).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: entries.map((name) => join(root, "tests", name)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    alias: { "@": join(root, "src") },
    // What the page asks its browser as it is loaded.
    banner: { js: 'globalThis.navigator ??= { language: "en" };' },
    logLevel: "warning",
  });
  const files = (await readdir(out)).map((name) => join(out, name));
  process.exitCode = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" }).status ?? 1;
} finally {
  await rm(out, { recursive: true, force: true });
}
