// What the agent can do without for a while, such as files and objects that others read: a full disk or an object that cannot be
// written shall not keep it from enforcing. Nothing tells when it can be done, so that it is tried again and again.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../process/index.ts';

const retryMs = { first: 1_000, most: 30_000 };

export interface UntilDoneOptions {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** What could not be done, as the beginning of a sentence: "Cannot write a file". */
  readonly failure: string;
}

/**
 * Calls `attempt` at once, and after growing pauses until it succeeds or `signal` is aborted. Says why it fails once for each reason.
 * Never rejects.
 */
export async function untilDone(
  attempt: () => void | Promise<void>,
  { log, signal, failure }: UntilDoneOptions,
): Promise<void> {
  let told = '';
  for (let retry = retryMs.first; !signal.aborted; retry = Math.min(retry * 2, retryMs.most)) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (told !== String(error)) log.error({ error }, `${failure}; trying again`);
      told = String(error);
    }
    // Aborted while it waits: the loop's condition ends it.
    await delay(retry, undefined, { signal, ref: false }).catch(() => {});
  }
}
