// Repeats a read-decide-write cycle for as long as others get in between.
import { ConflictError, NotFoundError } from '../datastore/index.ts';

/** As Calico: beyond that, something else is wrong than a race. */
const maxAttempts = 100;

/**
 * Runs `attempt`, which reads afresh and writes once, until its write is not refused because the object
 * has changed or gone since. It must not let the store's NotFoundError for a mere read escape.
 * @throws ConflictError, NotFoundError when it was refused every time; anything else at once, for then it is unknown what was written
 */
export async function compareAndSwap<R>(attempt: () => Promise<R>): Promise<R> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      const isStale = error instanceof ConflictError || error instanceof NotFoundError;
      if (!isStale || attempts === maxAttempts) throw error;
    }
  }
}
