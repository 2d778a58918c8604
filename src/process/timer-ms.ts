// How long a timer may be set for. A longer time than timers can count would be over at once, again and again.

const longestMs = 2 ** 31 - 1;

/** The time itself, or 24.8 days when it is longer. */
export function timerMs(ms: number): number {
  return Math.min(ms, longestMs);
}
