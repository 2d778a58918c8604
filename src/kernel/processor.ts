// On which processor the main thread runs.
import { c, checked } from './ffi.ts';

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
