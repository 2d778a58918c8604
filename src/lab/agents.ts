// The calico-node processes of a cluster: starts one in each node's network namespace, keeps its log, tells with its last
// lines when it dies, and ends it in an orderly way. What an agent does is none of its business.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface AgentOptions {
  readonly node: string;
  /** The node's root: every path of the agent derives from it. */
  readonly root: string;
  readonly kubeconfig: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Starts a process in the node's network namespace. */
  readonly spawnOnNode: <T>(start: () => T) => T;
  /** Told when the agent ended without having been asked to. */
  readonly died: (message: string) => void;
}

const program = join(import.meta.dirname, '..', '..', 'bin', 'calico-node.ts');
const restartDelayMs = 1_000;
const stopDeadlineMs = 5_000;

/** One node's agent, started again whenever it dies, as a DaemonSet would. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #restarts = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#start();
  }

  /** Undefined while it is not running. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Asks it to end and resolves when it has; ends it by force when it takes more than a few seconds. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (!child) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    await gone;
    clearTimeout(force);
  }

  #start(): void {
    const { node, root, kubeconfig, environment, spawnOnNode } = this.#options;
    mkdirSync(join(root, 'log'), { recursive: true, mode: 0o700 });
    const log = openSync(this.#logPath, 'a', 0o600);
    const child = spawnOnNode(() =>
      spawn(process.execPath, [program], {
        stdio: ['ignore', log, log],
        // Its own process group: a terminal's Ctrl-C is for the lab, which then stops its agents in order.
        detached: true,
        env: {
          ...process.env,
          ...environment,
          NODENAME: node,
          KUBECONFIG: kubeconfig,
          CALICO_ROOT: root,
          IP: 'autodetect',
        },
      }),
    );
    closeSync(log);
    this.#child = child;
    child.on('error', (error) => this.#ended(`could not be started: ${error.message}`));
    child.on('exit', (code, signal) => this.#ended(`ended with ${signal ?? `exit code ${code}`}`));
  }

  #ended(how: string): void {
    this.#child = undefined;
    if (this.#stopping.signal.aborted) return;
    this.#options.died(`calico-node on ${this.#options.node} ${how}${this.#lastLines()}`);
    this.#restarts++;
    delay(restartDelayMs, undefined, { signal: this.#stopping.signal, ref: false }).then(
      () => this.#start(),
      // Stopped while it waited to start again: there is nothing to start.
      () => {},
    );
  }

  get #logPath(): string {
    return join(this.#options.root, 'log', 'calico-node.log');
  }

  #lastLines(): string {
    const lines = readFileSync(this.#logPath, 'utf8').trimEnd().split('\n').slice(-20);
    return lines.join('') === '' ? '; its log is empty' : `; its log ends:\n    ${lines.join('\n    ')}`;
  }
}
