// Starts another program, and answers when it runs. Of a child that cannot be started Node.js tells in an event, which ends this
// process when nobody listens; and where no file descriptor is left, it hands over a child without streams before that.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** The system has too little of something now; the same may succeed later. */
export class ScarcityError extends Error {
  override readonly name = 'ScarcityError';
}

/** Sources: pipe(2), fork(2). */
const scarcities: Readonly<Record<string, string>> = {
  EMFILE: 'this process has no file descriptor left',
  ENFILE: 'this machine has no file descriptor left',
  EAGAIN: 'this machine makes no more processes',
  ENOMEM: 'this machine has no memory left',
};

/**
 * The child that `start` makes by `spawn`, once it runs; its streams and its later events are for the caller to listen to, at once.
 * @throws ScarcityError when it may run later; Error with the system's code (ENOENT, EACCES) when it cannot be started
 */
export async function startProgram<Child extends ChildProcess>(start: () => Child): Promise<Child> {
  try {
    const child = start();
    await once(child, 'spawn');
    return child;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const scarcity = Object.hasOwn(scarcities, code) ? scarcities[code] : undefined;
    if (scarcity === undefined) throw error;
    throw new ScarcityError(`${message}: ${scarcity}`, { cause: error });
  }
}
