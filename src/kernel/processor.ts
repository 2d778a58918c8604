// On which processor the main thread runs, and before whom.
import { c, checked, errno, KernelError, lastErrno } from './ffi.ts';

/** Room for 1024 processors, as the C library's cpu_set_t has. */
const maskBytes = 128;

/**
 * Keeps the main thread on the processor that it is running on. The kernel handles what a thread sends over virtual devices on
 * that thread's processor, so packets sent by a pinned thread are handled in the order in which they were sent.
 */
export function pinToOneCpu(): void {
  const cpu = checked(c.sched_getcpu(), 'Cannot tell which processor the main thread runs on');
  const mask = Buffer.alloc(maskBytes);
  mask[cpu >> 3] = 1 << (cpu & 7);
  checked(c.sched_setaffinity(0, mask.length, mask), `Cannot pin the main thread to processor ${cpu}`);
}

const SCHED_FIFO = 1;

/**
 * Lets the main thread run as soon as it is ready, before everything that is scheduled fairly: for short measurements that must
 * not be kept waiting by what they measure. A thread that never sleeps then takes its processor for itself.
 * Returns false where the system does not grant it, as containers often do not. Source: sched(7).
 */
export function runBeforeOthers(): boolean {
  // struct sched_param { int sched_priority; }, of which 1 is the lowest.
  const parameters = Buffer.from(Int32Array.of(1).buffer);
  if (c.sched_setscheduler(0, SCHED_FIFO, parameters) === 0) return true;
  if (lastErrno() === errno.EPERM) return false;
  throw new KernelError('Cannot change how the main thread is scheduled', lastErrno());
}
