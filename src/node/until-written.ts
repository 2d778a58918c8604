// Files that other programs read and that the agent can do without for a while: a disk that is full shall not keep it from
// enforcing. It does not tell when there is room again, so that they are tried again and again.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../process/index.ts';

const retryMs = { first: 1_000, most: 30_000 };

/** Calls `write` at once, and after growing pauses until it throws no more or `signal` is aborted. Never rejects. */
export async function untilWritten(
  write: () => void,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  for (let retry = retryMs.first; !signal.aborted; retry = Math.min(retry * 2, retryMs.most)) {
    try {
      write();
      return;
    } catch (error) {
      log.error({ error }, 'Cannot write a file that other programs read; trying again');
    }
    // Aborted while it waits: the loop's condition ends it.
    await delay(retry, undefined, { signal, ref: false }).catch(() => {});
  }
}
