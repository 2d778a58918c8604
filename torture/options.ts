// What a torture program is told on the command line: how long to go on, and where to begin.
import { parseArgs } from 'node:util';

export interface TortureOptions {
  /** Whether the time is over, or will be in so many milliseconds, or somebody has interrupted: then the round in hand is the last. */
  readonly isOver: (inMs?: number) => boolean;
  /** Milliseconds until the time is over. */
  readonly leftMs: () => number;
  readonly rounds: number;
  readonly seed: number;
}

/**
 * `--minutes N`, `--rounds N`, `--seed N`; without either of the first two, one minute.
 * @throws RangeError for what is no number, TypeError for what is no option
 */
export function readTortureOptions(args: readonly string[], interrupted: AbortSignal): TortureOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: { type: 'string' }, rounds: { type: 'string' }, seed: { type: 'string' } },
  });
  const number = (name: keyof typeof values): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text !== '' && value >= 0) return value;
    throw new RangeError(`--${name} is "${text}"; it must be a number`);
  };
  const rounds = number('rounds');
  const minutes = number('minutes') ?? (rounds === undefined ? 1 : Number.POSITIVE_INFINITY);
  return {
    ...timeOf(minutes * 60_000, () => interrupted.aborted),
    rounds: rounds ?? Number.POSITIVE_INFINITY,
    seed: number('seed') ?? Math.floor(Math.random() * 2 ** 32),
  };
}

/** The same for one of so many, who have the time that is left among them in equal parts. */
export function shareOf(options: TortureOptions, count: number): TortureOptions {
  return { ...options, ...timeOf(options.leftMs() / count, options.isOver) };
}

function timeOf(ms: number, isEnded: (inMs: number) => boolean): Pick<TortureOptions, 'isOver' | 'leftMs'> {
  const until = Date.now() + ms;
  return {
    isOver: (inMs = 0) => isEnded(inMs) || Date.now() + inMs >= until,
    leftMs: () => until - Date.now(),
  };
}
