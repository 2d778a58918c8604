// Runs the calico-lab command as a person would, in a process of its own, and keeps what it said.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const program = join(import.meta.dirname, '..', '..', 'bin', 'calico-lab.ts');

export class LabCommand {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';
  #listeners = new Set<() => void>();

  constructor(...arguments_: string[]) {
    this.#child = spawn(process.execPath, [program, ...arguments_], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (data) => {
        this.#output += data;
        for (const listener of this.#listeners) listener();
      });
    }
    this.#ended = once(this.#child, 'close');
  }

  /** Everything that it has said so far. */
  get output(): string {
    return this.#output;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the exit code, or with the signal that ended it. */
  async ended(): Promise<number | string | null> {
    await this.#ended;
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  /** Resolves once it has said this. @throws Error when it ends before */
  async said(text: string): Promise<void> {
    await Promise.race([
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (!this.#output.includes(text)) return;
          this.#listeners.delete(look);
          resolve();
        };
        this.#listeners.add(look);
        look();
      }),
      this.#ended.then(() => {
        if (!this.#output.includes(text))
          throw new Error(`It ended without saying "${text}":\n${this.#output}`);
      }),
    ]);
  }
}

/** Runs it to its end. */
export async function runLabCommand(
  ...arguments_: string[]
): Promise<{ code: number | string | null; output: string }> {
  const command = new LabCommand(...arguments_);
  const code = await command.ended();
  return { code, output: command.output };
}
