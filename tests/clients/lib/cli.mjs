// Runs a command line client once, in a home of its own, with nothing of this machine's environment.

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Milliseconds each client has, from start to end. */
export const DEADLINE = 60_000;

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));

/**
 * @param {object} run
 * @param {string} run.script the client's entry point, under node_modules
 * @param {string[]} run.args
 * @param {Record<string, string>} [run.env]
 * @param {Record<string, string>} [run.files] files to put in the home, by path
 * @returns {Promise<{code: number | null, stdout: string, stderr: string}>}
 */
export async function runCli({ script, args, env = {}, files = {} }) {
  const home = await mkdtemp(join(tmpdir(), 'switchyard-client-'));
  try {
    const work = join(home, 'work');
    await mkdir(work);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(home, path)), { recursive: true });
      await writeFile(join(home, path), text);
    }
    return await run(join(modules, script), args, work, {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      NO_COLOR: '1',
      HOME: home,
      TMPDIR: home,
      // Where it would go for updates or telemetry, nobody listens.
      HTTPS_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '127.0.0.1,localhost',
      ...env,
    });
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

function run(script, args, cwd, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd,
      env,
      // A group of its own, so that its children end with it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', text => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', text => (stderr += text));
    const endGroup = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch (error) {
        // The group has ended by itself.
        if (error.code !== 'ESRCH') throw error;
      }
    };
    const late = setTimeout(() => {
      endGroup();
      reject(new Error(`not finished after ${DEADLINE} ms\n${stdout}\n${stderr}`));
    }, DEADLINE);
    child.once('error', error => {
      clearTimeout(late);
      reject(error);
    });
    child.once('close', code => {
      clearTimeout(late);
      endGroup();
      resolve({ code, stdout, stderr });
    });
  });
}
