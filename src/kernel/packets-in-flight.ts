// Waiting until every packet that was on its way through the kernel's hooks has left them. The kernel judges packets inside
// RCU's read side, so that is what a grace period of RCU waits for.
import { setTimeout as delay } from 'node:timers/promises';
import { c, KernelError } from './ffi.ts';
import { inNewNamespace } from './namespaces/index.ts';
import { addBridge, addVeth, Rtnetlink, setLink } from './rtnetlink/index.ts';

/** membarrier(2) has no function in the C library. Numbers of asm/unistd.h. */
const callNumbers: Readonly<Record<string, number>> = { x64: 324, arm64: 283 };
const callNumber = callNumbers[process.arch];
/** MEMBARRIER_CMD_GLOBAL: returns after a grace period. */
const global = 1;
/** Milliseconds: many times what a packet takes, where the kernel does not say (nohz_full, a filter of system calls). */
const instead = 100;

/** Resolves when no packet is still under way that was judged by what stood in the tables at the time of the call. */
export async function packetsInFlight(): Promise<void> {
  // Whoever waits for the change itself comes first.
  await new Promise(setImmediate);
  if (leaveBridge()) return;
  const waited = callNumber !== undefined && (await membarrierAside(callNumber));
  if (!waited) await delay(instead);
}

/** The same, and the process stands still meanwhile: between two steps that nothing may come between. */
export function awaitPacketsInFlight(): void {
  if (leaveBridge() || membarrier()) return;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, instead);
}

/** A link and a bridge that it may join, in a namespace that nothing else is in. */
interface Crossing {
  readonly rtnetlink: Rtnetlink;
  readonly link: number;
  readonly bridge: number;
}

let crossing: Crossing | undefined;

/**
 * A link that leaves its bridge waits for every packet that may have seen it there, wherever that came from; and because nothing else
 * can change links meanwhile, the kernel hurries: 0.2 ms, where membarrier takes 5 to 40. Returns false where the kernel has no bridges, or
 * denies us a namespace.
 */
export function leaveBridge(): boolean {
  try {
    crossing ??= makeCrossing();
    const { rtnetlink, link, bridge } = crossing;
    rtnetlink.apply(setLink(link, { master: bridge }));
    rtnetlink.apply(setLink(link, { master: 0 }));
    return true;
  } catch (error) {
    if (error instanceof KernelError) return false;
    throw error;
  }
}

function makeCrossing(): Crossing {
  const rtnetlink = inNewNamespace(() => Rtnetlink.open());
  try {
    rtnetlink.apply(addBridge({ name: 'bridge' }));
    rtnetlink.apply(addVeth({ name: 'link', peer: { name: 'peer' } }));
    const indexOf = (name: string) => rtnetlink.link(name)?.index ?? 0;
    return { rtnetlink, link: indexOf('link'), bridge: indexOf('bridge') };
  } catch (error) {
    rtnetlink.close();
    throw error;
  }
}

/** Returns false where the kernel refuses. */
export function membarrier(): boolean {
  return callNumber !== undefined && Number(c.syscall(callNumber, global, 0, 0)) === 0;
}

/** In a thread of its own: it waits in the kernel. Resolves with false where that refuses. */
function membarrierAside(number: number): Promise<boolean> {
  return new Promise((resolve) => {
    c.syscall.async(number, global, 0, 0, (error: unknown, result: number | bigint) =>
      resolve(!error && Number(result) === 0),
    );
  });
}
