// Keeps a BIRD running with the configuration that is wanted: starts it, reloads it without touching sessions that stay
// as they are, starts it again when it dies, and stops it so that its routes and its peers' routes stay.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Logger, startProgram, writeTextWhole } from '../../process/index.ts';
import { BirdConnection, BirdRefusal } from './control-socket.ts';

export interface BirdPaths {
  readonly configuration: string;
  readonly socket: string;
  readonly pid: string;
  /** BIRD's own, which keeps its size. */
  readonly log: string;
}

export interface BirdOptions {
  /** Name or path of the program. */
  readonly program: string;
  readonly paths: BirdPaths;
  readonly log: Logger;
  /** Whether routes of an earlier BIRD are in the kernel: then it recovers them with its peers' help before it changes any. */
  readonly hasRoutesToRecover: () => boolean;
  /** Told whenever what is wrong with BIRD changes; undefined when nothing is. */
  readonly onTrouble: (trouble: string | undefined) => void;
}

const firstBackoffMs = 1_000;
const longestBackoffMs = 30_000;
/** A BIRD that lived so long did not die of its start. */
const settledMs = 60_000;
const startDeadlineMs = 10_000;
const stopDeadlineMs = 5_000;

export class BirdSupervisor {
  readonly #options: BirdOptions;
  readonly #stopping = new AbortController();
  #wanted: string | undefined;
  #applied: string | undefined;
  /** What a BIRD that ran has refused, and what is to be told of that. What it had before is still in the file. */
  #refused: { readonly configuration: string; readonly trouble: string } | undefined;
  #connection: BirdConnection | undefined;
  #child: ChildProcess | undefined;
  #backoffMs = firstBackoffMs;
  #startedAt = 0;
  #isWorking = false;
  #trouble: string | undefined;

  constructor(options: BirdOptions) {
    this.#options = options;
  }

  /** Why BIRD does not run as it should; undefined when it does. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Has BIRD run with this configuration, soon; the last one asked for counts. */
  apply(configuration: string): void {
    this.#wanted = configuration;
    void this.#work();
  }

  /** Asks BIRD to end as for a restart: routes stay in the kernel, and peers keep ours for the restart time. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const connection = this.#connection;
    if (!connection) return;
    const deadline = delay(stopDeadlineMs, undefined, { ref: false });
    try {
      await Promise.race([connection.ask('graceful restart'), deadline]);
      await Promise.race([connection.closed, deadline]);
    } catch (error) {
      this.#options.log.warn({ error }, 'BIRD went away before it could be asked to');
    }
    connection.close();
  }

  /** Lets BIRD go on without us. */
  abandon(): void {
    this.#stopping.abort();
    this.#connection?.close();
    this.#child?.unref();
  }

  /** One at a time: what comes meanwhile is seen at the end of the turn. */
  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      while (!this.#stopping.signal.aborted && this.#wanted !== undefined && this.#wanted !== this.#applied) {
        await this.#turn(this.#wanted);
      }
    } catch (error) {
      // The wait for the next try was cut short: we are stopping.
      if (!this.#stopping.signal.aborted) throw error;
    } finally {
      this.#isWorking = false;
    }
  }

  async #turn(wanted: string): Promise<void> {
    try {
      this.#connection ??= await this.#adopt();
      if (this.#connection) await this.#reload(this.#connection, wanted);
      else await this.#start(wanted);
      if (!this.#connection) throw new Error('BIRD went away as soon as it had started');
      this.#applied = wanted;
      this.#setTrouble(this.#refused?.configuration === wanted ? this.#refused.trouble : undefined);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof BirdRefusal) {
        // BIRD goes on as it is; trying the same again would not help.
        this.#applied = wanted;
        const trouble = `BIRD keeps its old configuration: ${message}`;
        this.#refused = { configuration: wanted, trouble };
        this.#setTrouble(trouble);
        return;
      }
      this.#setTrouble(message);
      await this.#backOff();
    }
  }

  /** A BIRD that outlived its calico-node; undefined when there is none. */
  async #adopt(): Promise<BirdConnection | undefined> {
    try {
      return this.#watch(await BirdConnection.open(this.#options.paths.socket));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (['ENOENT', 'ECONNREFUSED'].includes(code)) return undefined;
      throw error;
    }
  }

  async #start(configuration: string): Promise<void> {
    const { program, paths, hasRoutesToRecover } = this.#options;
    for (const path of Object.values(paths)) mkdirSync(dirname(path), { recursive: true });
    const written = textAt(paths.configuration);
    // One that died after it had refused a configuration comes back with what it had.
    const keepsOld = configuration === this.#refused?.configuration && written !== undefined;
    // What is there already needs no room: a full disk shall not keep BIRD from starting again.
    if (!keepsOld && written !== configuration) writeSecretly(paths.configuration, configuration);
    const recovery = hasRoutesToRecover() ? ['-R'] : [];
    const files = ['-c', paths.configuration, '-s', paths.socket, '-P', paths.pid];
    // Of its own process group: it outlives us, and a terminal's Ctrl-C is not for it.
    const child = await startProgram(() =>
      spawn(program, ['-f', ...recovery, ...files], { detached: true, stdio: ['ignore', 'ignore', 'pipe'] }),
    ).catch((error: NodeJS.ErrnoException) => {
      throw startError(program, error);
    });
    this.#child = child;
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = `${words}${text}`.slice(-2_000);
    });
    const ended = new Promise<Error>((resolve) => {
      child.on('error', (error) => resolve(new Error(`BIRD is out of reach: ${error.message}`)));
      child.on('exit', (code, signal) => {
        const how = signal ? `signal ${signal}` : `exit code ${code}`;
        resolve(new Error(`BIRD ended with ${how}${words === '' ? '' : `: ${words.trim()}`}`));
      });
    });
    this.#startedAt = performance.now();
    this.#connection = this.#watch(await this.#firstConnection(child, ended));
    void ended.then((error) => this.#died(error.message));
    this.#options.log.info({ pid: child.pid }, 'BIRD runs');
  }

  /** BIRD does not tell when its socket is there: it is looked for until it is, or BIRD has ended. */
  async #firstConnection(child: ChildProcess, ended: Promise<Error>): Promise<BirdConnection> {
    let end: Error | undefined;
    void ended.then((error) => {
      end = error;
    });
    const giveUpAt = performance.now() + startDeadlineMs;
    for (;;) {
      const connection = await BirdConnection.open(this.#options.paths.socket).catch(() => undefined);
      if (connection) return connection;
      if (end) throw end;
      if (performance.now() > giveUpAt) {
        child.kill('SIGKILL');
        throw new Error(`BIRD did not open ${this.#options.paths.socket} within ${startDeadlineMs / 1000} s`);
      }
      await delay(20);
    }
  }

  async #reload(connection: BirdConnection, configuration: string): Promise<void> {
    const { paths, log } = this.#options;
    const draft = `${paths.configuration}.new`;
    writeSecretly(draft, configuration);
    await connection.ask(`configure check "${draft}"`);
    renameSync(draft, paths.configuration);
    await connection.ask(`configure "${paths.configuration}"`);
    log.info('BIRD has a new configuration');
  }

  #watch(connection: BirdConnection): BirdConnection {
    void connection.closed.then(() => {
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      this.#died('BIRD closed its control socket');
    });
    return connection;
  }

  #died(why: string): void {
    if (this.#stopping.signal.aborted || this.#applied === undefined) return;
    this.#connection?.close();
    this.#connection = undefined;
    this.#applied = undefined;
    this.#child = undefined;
    this.#setTrouble(`${why}; it is started again`);
    if (performance.now() - this.#startedAt > settledMs) this.#backoffMs = firstBackoffMs;
    this.#backOff().then(
      () => this.#work(),
      // We are stopping.
      () => {},
    );
  }

  /** Rejects when we are stopping. */
  async #backOff(): Promise<void> {
    const waitMs = this.#backoffMs;
    this.#backoffMs = Math.min(waitMs * 2, longestBackoffMs);
    await delay(waitMs, undefined, { signal: this.#stopping.signal });
  }

  #setTrouble(trouble: string | undefined): void {
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    if (trouble !== undefined) this.#options.log.error({ pid: this.#child?.pid }, trouble);
    this.#options.onTrouble(trouble);
  }
}

function startError(program: string, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT')
    return new Error(`Cannot start BIRD ("${program}"): ${error.message}`, { cause: error });
  return new Error(
    `Cannot start BIRD: there is no program "${program}"; install BIRD 2 (Debian's bird2), or set CALICO_NETWORKING_BACKEND to vxlan or none`,
    { cause: error },
  );
}

/** Undefined when there is no such file. */
function textAt(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** It holds passwords: nobody but us may read it. */
function writeSecretly(path: string, text: string): void {
  writeTextWhole(path, 0o600, text);
}
