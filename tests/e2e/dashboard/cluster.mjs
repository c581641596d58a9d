// Processes of one test: started on free ports, ended by their own ids, their files in one temporary directory.
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

export async function until(what, check, timeoutMs = 60_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    if (Date.now() > end) throw new Error(`gave up waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export class Cluster {
  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'qm-dashboard-'));
    this.processes = [];
  }

  start(name, command, args, options = {}) {
    const log = openSync(join(this.directory, `${name}.log`), 'a');
    const child = spawn(command, args, { stdio: ['ignore', log, log], ...options });
    const process = { name, child, exited: new Promise((resolve) => child.on('exit', resolve)) };
    child.on('error', (error) => console.error(`${name}: ${error.message}`));
    this.processes.push(process);
    return process;
  }

  log(name) {
    return readFileSync(join(this.directory, `${name}.log`), 'utf8');
  }

  async kill(process) {
    process.child.kill('SIGKILL');
    await process.exited;
  }

  async stop() {
    for (const process of this.processes) process.child.kill('SIGKILL');
    await Promise.all(this.processes.map((process) => process.exited));
    rmSync(this.directory, { recursive: true, force: true });
  }
}
