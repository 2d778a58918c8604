// A program that runs until it is told to stop, its log in a file; and waiting until something outside of this process is so.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface DaemonOptions {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly logPath: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Starts the process where it belongs, in a network namespace for instance. */
  readonly spawnThere?: <T>(start: () => T) => T;
  /** The command starts the program proper as its only child (nsenter, unshare), and ends with it. */
  readonly isWrapped?: boolean;
}

/** It will never do what is being waited for. */
class EndedError extends Error {
  override readonly name = 'EndedError';
}

const stopDeadlineMs = 10_000;

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #child: ChildProcess;
  readonly #gone: Promise<string>;
  #end: string | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
    const { command, environment, spawnThere = (start) => start() } = options;
    const log = openSync(options.logPath, 'a', 0o600);
    const [program, ...args] = command;
    this.#child = spawnThere(() =>
      // Its own process group: a terminal's Ctrl-C is for the test, which then stops its daemons in order.
      spawn(program, args, {
        stdio: ['ignore', log, log],
        detached: true,
        env: { ...process.env, ...environment },
      }),
    );
    closeSync(log);
    this.#gone = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      this.#child.once('exit', (code, signal) => resolve(`ended with ${signal ?? `exit code ${code}`}`));
    });
    this.#gone.then((how) => {
      this.#end = how;
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.#options.name} ${this.#end ?? 'was not started'}`);
    return pid;
  }

  get isRunning(): boolean {
    return this.#end === undefined;
  }

  /** @throws EndedError with the end of its log once it has ended */
  assertRunning(): void {
    if (this.#end !== undefined) {
      throw new EndedError(`${this.#options.name} ${this.#end}; its log ends:\n${this.lastLines()}`);
    }
  }

  /** The program's own process number, where it is wrapped; undefined until it was started by its wrapper. */
  get innerPid(): number | undefined {
    if (!this.#options.isWrapped) return this.pid;
    if (this.#end !== undefined) return undefined;
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim();
    return children === '' ? undefined : Number(children.split(' ')[0]);
  }

  get ended(): Promise<string> {
    return this.#gone;
  }

  /** Resolves when it has ended, by force when it takes too long. */
  async stop(): Promise<void> {
    if (this.#end !== undefined) return;
    this.#signal('SIGTERM');
    const force = setTimeout(() => this.#signal('SIGKILL'), stopDeadlineMs);
    await this.#gone;
    clearTimeout(force);
  }

  /** Resolves when it has ended, which it had no time to prepare for. */
  async killed(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#gone;
  }

  #signal(name: NodeJS.Signals): void {
    const pid = this.innerPid;
    // Without the program, its wrapper is all there is.
    if (pid === undefined) this.#child.kill(name);
    else process.kill(pid, name);
  }

  lastLines(count = 25): string {
    const { logPath } = this.#options;
    if (!existsSync(logPath)) return '(no log)';
    return readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  }
}

/** Who waits for longer says so, and again each time that as much has gone by. */
const patienceMs = 30_000;

/**
 * Resolves with what `look` returns once it is neither undefined nor false; looks again
 * a little later as long as it is, or throws anything but that a program has ended. Tells
 * the error stream what takes long.
 * @throws Error that says what was waited for, and what the last look threw
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { deadlineMs = 120_000, everyMs = 100 }: { deadlineMs?: number; everyMs?: number } = {},
): Promise<T> {
  const started = Date.now();
  const deadline = started + deadlineMs;
  let tellAt = started + patienceMs;
  let fault: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      fault = undefined;
    } catch (error) {
      if (error instanceof EndedError) throw error;
      fault = error;
    }
    const now = Date.now();
    const why = fault instanceof Error ? `: ${fault.message}` : '';
    if (now > deadline) {
      throw new Error(`Waited ${deadlineMs / 1000} s in vain: ${what}${why}`, { cause: fault });
    }
    if (now > tellAt) {
      console.error(`Waiting for ${Math.round((now - started) / 1000)} s now: ${what}${why}`);
      tellAt = now + patienceMs;
    }
    await delay(everyMs);
  }
}
