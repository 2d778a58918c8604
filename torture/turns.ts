// All torture programs one after another, of whom each has its share of the time.
import { shareOf, type TortureOptions } from './options.ts';

export interface TortureProgram {
  /** Resolves with whether everything held. */
  run(options: TortureOptions): Promise<boolean>;
}

/** Names of programs. */
export interface Turns {
  readonly held: readonly string[];
  readonly failed: readonly string[];
  /** For whom nothing was left of the time. */
  readonly left: readonly string[];
}

/**
 * What one leaves of its share is for those that follow; one that fails keeps none of them from their turn.
 * @param tell is given a line for each that begins, or that could not go on
 */
export async function runInTurn(
  names: readonly string[],
  programOf: (name: string) => Promise<TortureProgram>,
  options: TortureOptions,
  tell: (line: string) => void,
): Promise<Turns> {
  const [held, failed, left]: [string[], string[], string[]] = [[], [], []];
  for (const [position, name] of names.entries()) {
    if (options.isOver()) {
      left.push(name);
      continue;
    }
    tell(`torture ${name}, seed ${options.seed}`);
    try {
      const program = await programOf(name);
      const isWell = await program.run(shareOf(options, names.length - position));
      (isWell ? held : failed).push(name);
    } catch (error) {
      tell(`torture ${name} could not go on: ${error instanceof Error ? error.stack : error}`);
      failed.push(name);
    }
  }
  return { held, failed, left };
}
