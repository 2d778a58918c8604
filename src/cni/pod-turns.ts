// The requests of one pod come one after another, whatever the runtime does; those of other pods are not held up.
import { KeyedLock } from '../process/index.ts';
import type { AttachmentRequest } from './request.ts';
import { WaitLimit } from './wait-limit.ts';

export class PodTurns {
  readonly #lock = new KeyedLock();
  /** By key: who has the turn, in words. */
  readonly #present = new Map<string, string>();

  /**
   * Rejects with code 11, naming what it waits for, when its turn does not come within the limit. The task is never begun then:
   * whoever wanted it has been told so.
   */
  async take<T>(
    request: AttachmentRequest,
    task: () => Promise<T>,
    limit = new WaitLimit(undefined),
  ): Promise<T> {
    const { command, containerId, pod } = request;
    const key = pod ? `${pod.namespace}/${pod.name}` : containerId;
    const turn = Promise.withResolvers<void>();
    const inTime = limit.within(
      turn.promise,
      () =>
        `${command} waits for an earlier request of the same pod, "${key}": the ${this.#present.get(key)} has not ended`,
    );
    const ended = this.#lock.run(key, async () => {
      turn.resolve();
      await inTime;
      this.#present.set(key, `${command} of container "${containerId}"`);
      try {
        return await task();
      } finally {
        this.#present.delete(key);
      }
    });
    const [result] = await Promise.all([ended, inTime]);
    return result;
  }
}
