// A node may start while nobody serves the cluster's objects: what the last calico-node left in the kernel stays in force, and this
// one waits. Ending would have it started again later and later.
import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '../datastore/index.ts';
import type { Logger } from '../process/index.ts';

const pauseMs = { first: 500, most: 10_000 };

/** What `attempt` gives, which is called until the datastore answers. @throws whatever else it throws, and why `signal` was aborted */
export async function untilAvailable<T>(
  attempt: () => Promise<T>,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<T> {
  for (let pause = pauseMs.first; ; pause = Math.min(pause * 2, pauseMs.most)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      log.warn(
        { error },
        'Cannot start without the API server; what is in the kernel stays in force until it answers',
      );
    }
    // All nodes of a cluster wait for the same server: not in step.
    await delay(pause * (0.5 + Math.random() / 2), undefined, { signal });
  }
}
