// The document is a promise: no answer breaks it, and clients that are generated from it work.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { startGateway } from "../../admin/web/e2e/gateway.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const modules = join(here, "node_modules");
const python = process.env.PYTHON_ENV;
const MOST_MS = 420_000;
/** One never ends, the other passes on that somebody else does not answer (502): both have tests of their own. */
const LEFT_OUT = "^/api/v1/(live|providers/\\{id\\}/models)$";
const CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

let gateway, work, document;

before(async () => {
  assert.ok(python, "PYTHON_ENV must name a virtual environment with requirements.txt in it");
  gateway = await startGateway();
  work = await mkdtemp(join(tmpdir(), "switchyard-contract-"));
  const answer = await fetch(`${gateway.url}/api/v1/openapi.json`);
  document = await answer.json();
  await writeFile(join(work, "openapi.json"), JSON.stringify(document));
});

after(async () => {
  await gateway?.stop();
  if (work) await rm(work, { recursive: true, force: true });
});

/** Runs a program; what it says is shown when it fails. */
function run(program, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: work,
      env: { PATH: `${python}/bin:${process.env.PATH}`, HOME: work, GATEWAY: gateway.url, ADMIN_TOKEN: gateway.adminToken, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: MOST_MS,
      killSignal: "SIGKILL",
    });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      const text = Buffer.concat(said).toString();
      if (code === 0) resolve(text);
      else reject(new Error(`${program} ended with ${code}\n${text}`));
    });
  });
}

test("every operation says what it answers", () => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, ...operation })),
  );
  assert.ok(operations.length >= 70, `${operations.length} operations`);
  const ids = operations.map((operation) => operation.operationId);
  assert.equal(new Set(ids).size, operations.length, "ids are unique and there");
  for (const { name, summary, responses } of operations) {
    assert.ok(summary, `${name} has no summary`);
    const statuses = Object.keys(responses);
    const success = statuses.filter((status) => status.startsWith("2"));
    assert.equal(success.length > 0, true, `${name} has no success`);
    for (const status of success.filter((status) => status !== "204")) {
      const contents = Object.values(responses[status].content ?? {});
      assert.ok(contents.length > 0 && contents.every((content) => content.schema), `${name} ${status} has no type`);
    }
    assert.ok(statuses.some((status) => status >= "400") || name.includes("/health"), `${name} lists no error`);
  }
});

test("no answer breaks the document", { timeout: MOST_MS }, async () => {
  const seed = process.env.SEED ?? String(Math.floor(Math.random() * 1e9));
  await run(`${python}/bin/st`, [
    "--config-file", join(here, "schemathesis.toml"), "run", `${gateway.url}/api/v1/openapi.json`, "-H", `Authorization: Bearer ${gateway.adminToken}`, "--checks", CHECKS,
    "--max-examples", process.env.EXAMPLES ?? "12", "--workers", "2", "--no-color", "--seed", seed,
    "--suppress-health-check", "filter_too_much", "--exclude-path-regex", LEFT_OUT,
  ]);
});

test("a generated client for TypeScript compiles and works", { timeout: MOST_MS }, async () => {
  const src = join(work, "ts");
  await cp(join(here, "client.ts"), join(src, "client.ts"));
  await cp(join(here, "tsconfig.json"), join(src, "tsconfig.json"));
  await cp(join(here, "package.json"), join(src, "package.json"));
  await symlink(modules, join(src, "node_modules"));
  await run(process.execPath, [join(modules, "openapi-typescript/bin/cli.js"), join(work, "openapi.json"), "-o", join(src, "schema.ts")]);
  await run(process.execPath, [join(modules, "typescript/bin/tsc"), "-p", src]);
  await run(process.execPath, [join(src, "client.js")]);
});

test("a generated client for Python is whole and works", { timeout: MOST_MS }, async () => {
  const said = await run(`${python}/bin/openapi-python-client`, [
    "generate", "--path", join(work, "openapi.json"), "--output-path", join(work, "generated"), "--meta", "none",
  ]);
  assert.doesNotMatch(said, /warning|skipping/i);
  const files = await readdir(join(work, "generated", "api"), { recursive: true });
  const operations = files.filter((file) => file.endsWith(".py") && !file.endsWith("__init__.py")).length;
  const documented = Object.values(document.paths).flatMap((methods) => Object.keys(methods)).length;
  assert.equal(operations, documented, "an operation is missing");
  await cp(join(here, "client.py"), join(work, "client.py"));
  await run(`${python}/bin/python`, [join(work, "client.py")]);
});
