// A gateway in front of the fake provider, in a temporary directory, on free loopback ports; gone with `stop`.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_MS = 60_000;
const STOP_MS = 15_000;

/** Free ports, all held while they are looked for, so that they differ. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map((server) => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)))),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function run(binary, args, env) {
  const child = spawn(binary, args, { env: { PATH: process.env.PATH, LOG_FORMAT: "text", RUST_LOG: "info", ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const log = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => log.push(chunk));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return { child, ended, log: () => Buffer.concat(log).toString().split("\n").slice(-40).join("\n") };
}

async function waitFor(part, url, isReady) {
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; ) {
    if (part.child.exitCode !== null) break;
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    if (answer && isReady(answer)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not ready: ${url}\n${part.log()}`);
}

async function stop(parts) {
  for (const { child, ended } of parts) {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(timer);
  }
}

/** Starts both from the binary that `SWITCHYARD` names; `env` is the gateway's besides. */
export async function startGateway(env = {}) {
  const binary = process.env.SWITCHYARD;
  if (!binary) throw new Error("SWITCHYARD must name the gateway's binary");
  const home = await mkdtemp(join(tmpdir(), "switchyard-e2e-"));
  const [mockPort, port] = await freePorts(2);
  const adminToken = randomBytes(24).toString("hex");
  const mockUrl = `http://127.0.0.1:${mockPort}`;
  const url = `http://127.0.0.1:${port}`;
  const mock = run(binary, ["mock-upstream", "--listen", `127.0.0.1:${mockPort}`], { HOME: home });
  const data = join(home, "data");
  const serve = () =>
    run(binary, ["serve"], {
      HOME: home, DATA_DIR: data, ADMIN_TOKEN: adminToken, HOSTNAME: "127.0.0.1", APP_PORT: String(port), SHUTDOWN_DRAIN_SECONDS: "2", ...env,
    });
  let gateway = serve();
  const isReady = () => waitFor(gateway, `${url}/api/health/ready`, (answer) => answer.ok);
  const end = async () => {
    await stop([gateway, mock]);
    await rm(home, { recursive: true, force: true });
  };
  try {
    await waitFor(mock, `${mockUrl}/_mock/health`, () => true);
    await isReady();
  } catch (error) {
    await end();
    throw error;
  }
  /** Asks the admin API. */
  const admin = async (method, path, body) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  };
  /** Sends a client's request with a key; the answer is read to its end. */
  const ask = async (key, model, headers = {}, signal = AbortSignal.timeout(20_000)) => {
    const answer = await fetch(`${url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": key, "anthropic-version": "2023-06-01", "content-type": "application/json", ...headers },
      body: JSON.stringify({ model, max_tokens: 64, stream: true, messages: [{ role: "user", content: "Say PONG" }] }),
      signal,
    });
    await answer.text();
    return answer;
  };
  /** Stops the gateway, does something to its database, and starts it again. */
  const restart = async (meanwhile) => {
    await stop([gateway]);
    await meanwhile(join(data, "switchyard.db"));
    gateway = serve();
    await isReady();
  };
  return { url, mockUrl, adminToken, admin, ask, restart, stop: end };
}

/** Asks until it is so. */
export async function eventually(isTrue) {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("it never became true");
}
