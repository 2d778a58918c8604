// What can go wrong with a command, and how it is told: a sentence each for people, one JSON document for programs.
import type { OutputFormat } from './options.ts';

/** One thing that is wrong; the places are present where they are known. */
export interface Problem {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  /** "spec.cidr". */
  readonly path?: string;
}

/** A command cannot do what it was asked to: said to the person, with exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly problems: readonly Problem[];

  constructor(message: string, problems: readonly Problem[] = [{ message }], options?: ErrorOptions) {
    super(message, options);
    this.problems = problems;
  }
}

export function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof CommandError) return error.problems;
  return [{ message: error instanceof Error ? error.message : String(error) }];
}

/** Writes to stderr, so that what a command yields stays apart. */
export function reportProblems(problems: readonly Problem[], format: OutputFormat): void {
  if (format === 'json') {
    process.stderr.write(`${JSON.stringify({ errors: problems }, undefined, 2)}\n`);
    return;
  }
  for (const { message } of problems) process.stderr.write(`calicoctl: ${message}\n`);
}
