// Durations as Go writes them ("1m30s"), in the whole seconds that BGP counts.
import { tryDurationMs } from '../../process/index.ts';

/** Rounded up; undefined when the text is no duration. */
export function secondsOf(text: string): number | undefined {
  const milliseconds = tryDurationMs(text);
  // 0.1 s and its like have no exact binary form: a thousandth of a millisecond is not a second more.
  return milliseconds === undefined ? undefined : Math.ceil(Math.round(milliseconds * 1000) / 1e6);
}
