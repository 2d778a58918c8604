// Waiting until every packet that was on its way through the kernel's hooks has left them. The kernel judges packets inside
// RCU's read side, so that is what a grace period of RCU waits for.
import { setTimeout as delay } from 'node:timers/promises';
import { c } from './ffi.ts';

/** membarrier(2) has no function in the C library. Numbers of asm/unistd.h. */
const callNumbers: Readonly<Record<string, number>> = { x64: 324, arm64: 283 };
/** MEMBARRIER_CMD_GLOBAL: returns after a grace period. */
const global = 1;
/** Many times what a packet takes, where the kernel does not say (nohz_full, a filter of system calls). */
const instead = 100;

/** Resolves when no packet is still under way that was judged by what stood in the tables at the time of the call: 5 to 40 ms. */
export async function packetsInFlight(): Promise<void> {
  const number = callNumbers[process.arch];
  const waited = number !== undefined && (await gracePeriod(number));
  if (!waited) await delay(instead);
}

/** The same, and the process stands still meanwhile: between two steps that nothing may come between. */
export function awaitPacketsInFlight(): void {
  const number = callNumbers[process.arch];
  const waited = number !== undefined && Number(c.syscall(number, global, 0, 0)) === 0;
  if (!waited) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, instead);
}

/** Returns false where the kernel refuses. In a thread of its own: it waits in the kernel. */
function gracePeriod(number: number): Promise<boolean> {
  return new Promise((resolve) => {
    c.syscall.async(number, global, 0, 0, (error: unknown, result: number | bigint) =>
      resolve(!error && Number(result) === 0),
    );
  });
}
