// Tells what becomes of each object, in order, while a command works; on a terminal also how far it has come.
import type { OutputFormat } from '../options.ts';
import { describeOutcome, type Failure, type Outcome } from './outcome.ts';

/** From so many objects on, a person wants to see that something moves. */
const largeSet = 20;

export class Report {
  readonly #format: OutputFormat;
  readonly #total: number;
  readonly #results: (Outcome | Failure)[] = [];
  #failed = 0;

  constructor(format: OutputFormat, total: number) {
    this.#format = format;
    this.#total = total;
  }

  add(result: Outcome | Failure): void {
    this.#results.push(result);
    if (result.result === 'failed') this.#failed++;
    if (this.#format === 'text') {
      this.#clearProgress();
      if (result.result === 'failed') {
        for (const { message } of result.problems) process.stderr.write(`calicoctl: ${message}\n`);
      } else {
        process.stdout.write(`${describeOutcome(result)}\n${result.diff ?? ''}`);
      }
    }
    this.#showProgress();
  }

  /** Ends the report and returns the exit code: 1 when anything failed. */
  end(): number {
    this.#clearProgress();
    if (this.#format === 'json') {
      const results = this.#results.filter(({ result }) => result !== 'failed');
      const errors = this.#results.flatMap((entry) =>
        entry.result === 'failed'
          ? entry.problems.map((problem) => ({
              ...(entry.kind && { kind: entry.kind }),
              ...(entry.namespace && { namespace: entry.namespace }),
              ...(entry.name && { name: entry.name }),
              ...(entry.file && { file: entry.file, line: entry.line }),
              ...problem,
            }))
          : [],
      );
      process.stdout.write(`${JSON.stringify({ results }, undefined, 2)}\n`);
      if (errors.length > 0) process.stderr.write(`${JSON.stringify({ errors }, undefined, 2)}\n`);
    }
    return this.#failed > 0 ? 1 : 0;
  }

  get #showsProgress(): boolean {
    return process.stderr.isTTY === true && this.#total >= largeSet;
  }

  #showProgress(): void {
    const done = this.#results.length;
    if (!this.#showsProgress || done === this.#total) return;
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : '';
    process.stderr.write(`${done} of ${this.#total}${failed}`);
  }

  #clearProgress(): void {
    // Back to the start of the line, and clear it.
    if (this.#showsProgress) process.stderr.write('\r\u001b[2K');
  }
}
