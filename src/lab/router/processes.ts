// The processes of an external router: started in its namespace, ended by their pids.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { RouterOptions } from './external-router.ts';

export class RouterProcesses {
  readonly #options: RouterOptions;
  readonly #children: ChildProcess[] = [];

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  start(program: string, args: readonly string[]): void {
    const { spawn: inNamespace, folder, environment } = this.#options;
    const log = openSync(join(folder, 'router.log'), 'a', 0o600);
    const child = inNamespace(() =>
      spawn(program, args, { stdio: ['ignore', log, log], env: { ...process.env, ...environment } }),
    );
    closeSync(log);
    // Whoever asks it something is told that it is not there; there is nobody else to tell.
    child.on('error', () => {});
    this.#children.push(child);
  }

  /** What a program prints that is run in the router's namespace. @throws Error when it fails */
  ask(program: string, args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const { spawn: inNamespace, environment } = this.#options;
      const options = { env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024 };
      inNamespace(() =>
        execFile(program, args, options, (error, stdout) => (error ? reject(error) : resolve(stdout))),
      );
    });
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#children.splice(0).map((child) => {
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return undefined;
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        return gone;
      }),
    );
  }
}
