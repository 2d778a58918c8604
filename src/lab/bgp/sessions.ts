// Waiting for the nodes' BGP sessions, asked of each node's BIRD.
import { setTimeout as delay } from 'node:timers/promises';
import { birdStatus, unreadyReasons } from '../../bgp/index.ts';
import type { Patience } from '../condition.ts';

/** BIRD does not tell when a session comes up. */
const askAgainMs = 200;

/**
 * Resolves when every session of every node is up.
 * @param sockets of each node's BIRD, by the node's name
 * @throws Error that names the sessions that are not by the deadline, and why; or the signal's reason
 */
export async function waitForSessions(
  sockets: ReadonlyMap<string, string>,
  { deadlineMs, signal }: Patience,
): Promise<void> {
  const giveUpAt = performance.now() + deadlineMs;
  for (const [node, socket] of sockets) {
    for (;;) {
      const reasons = await reasonsOf(socket);
      if (reasons.length === 0) break;
      if (performance.now() > giveUpAt) throw new Error(`On ${node}: ${reasons.join('; ')}`);
      await delay(askAgainMs, undefined, { signal });
    }
  }
}

async function reasonsOf(socket: string): Promise<string[]> {
  try {
    return unreadyReasons(await birdStatus(socket));
  } catch (error) {
    return [`BIRD does not answer: ${error instanceof Error ? error.message : error}`];
  }
}
