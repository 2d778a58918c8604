// Waits for something no longer than somebody wants to wait.
import { timerMs } from '../process/index.ts';
import { CniError, cniErrorCodes } from './errors.ts';

/** Rejects with code 11 when `awaited` takes longer; undefined waits for ever. What is awaited goes on all the same. */
export async function within<T>(ms: number | undefined, awaited: Promise<T>, what: string): Promise<T> {
  if (ms === undefined) return awaited;
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(new CniError(cniErrorCodes.tryAgainLater, `The ${what} is not in the kernel after ${ms} ms`)),
    timerMs(ms),
  );
  try {
    return await Promise.race([awaited, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
