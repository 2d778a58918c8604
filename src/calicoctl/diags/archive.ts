// A folder that fills with diagnostics and ends as one compressed archive.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export class DiagnosticsArchive {
  readonly #parent = mkdtempSync(join(tmpdir(), 'calico-diags-'));
  readonly #folder: string;
  #failures = 0;

  constructor(name: string) {
    this.#folder = join(this.#parent, name);
    mkdirSync(this.#folder);
  }

  /** Where the files lie, until `finish`. */
  get folder(): string {
    return this.#folder;
  }

  /** How much could not be collected; what and why is in the archive. */
  get failures(): number {
    return this.#failures;
  }

  /** `name` may have folders: "nodes/node-1.yaml". */
  add(name: string, text: string): void {
    const path = join(this.#folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  /** Adds what `collect` yields, or why it yields nothing: one thing that is missing does not cost the rest. */
  async collect(name: string, collect: () => Promise<string>): Promise<void> {
    await this.attempt(name, async () => this.add(name, await collect()));
  }

  /** Says in "NAME.error" why something could not be done. */
  async attempt(name: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#failures++;
      this.add(`${name}.error`, `${error instanceof Error ? error.message : String(error)}\n`);
    }
  }

  /** Adds what a command prints. */
  async collectCommand(name: string, command: string, ...arguments_: readonly string[]): Promise<void> {
    await this.collect(name, async () => {
      const options = { timeout: 60_000, maxBuffer: 256 * 1024 * 1024 };
      return (await execute(command, arguments_, options)).stdout;
    });
  }

  /** Packs everything into `target` and returns its path; the folder goes, unless it is to be kept. */
  async finish(target: string, { keepsFolder = false } = {}): Promise<string> {
    try {
      await execute('tar', ['-czf', target, '-C', this.#parent, basename(this.#folder)]);
    } finally {
      if (!keepsFolder) rmSync(this.#parent, { recursive: true });
    }
    return target;
  }
}

/** "20260131-120000", for names of files. */
export function timestamp(now = new Date()): string {
  return now
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z$/g, '')
    .replace('T', '-');
}
