// What every torture of faults says at its end, in the same words.
import { familyProbed } from '../src/lab/prober/families.ts';
import type { LaneReport } from '../src/lab/prober/messages.ts';

export interface FaultTally {
  rounds: number;
  probed: number;
  /** Of these, those over IPv6. */
  probed6: number;
  wronglyAllowed: number;
  /** Probes that were permitted and did not arrive, where none may be lost. */
  lost: number;
  connections: number;
  connectionsLost: number;
  /** From the end of each fault until the agents enforced again what the cluster says. */
  readonly convergedMs: number[];
}

export function newTally(): FaultTally {
  return {
    rounds: 0,
    probed: 0,
    probed6: 0,
    wronglyAllowed: 0,
    lost: 0,
    connections: 0,
    connectionsLost: 0,
    convergedMs: [],
  };
}

/** Counts what a flood sent, and what of it passed that must not. */
export function countForbidden(tally: FaultTally, lanes: readonly LaneReport[]): void {
  countSent(tally, lanes);
  for (const { arrived } of lanes) tally.wronglyAllowed += arrived;
}

/** Counts what a flood sent, and what of it was lost that must not be. */
export function countPermitted(tally: FaultTally, lanes: readonly LaneReport[]): void {
  countSent(tally, lanes);
  for (const { sent, arrived } of lanes) tally.lost += sent - arrived;
}

/** Counts what a flood sent, whatever became of it. */
export function countSent(tally: FaultTally, lanes: readonly LaneReport[]): void {
  for (const { name, sent } of lanes) {
    tally.probed += sent;
    if (familyProbed(name) === 6) tally.probed6 += sent;
  }
}

/** Prints the tally, and returns whether nothing was opened, lost or cut. */
export function report(name: string, seed: number, tally: FaultTally): boolean {
  const times = tally.convergedMs.toSorted((a, b) => a - b);
  const at = (share: number) =>
    times.length === 0
      ? '-'
      : `${Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0)} ms`;
  process.stdout.write(
    `${name}: seed ${seed}, ${tally.rounds} rounds, ${tally.probed} packets probed (${tally.probed6} over IPv6), ${tally.wronglyAllowed} wrongly allowed, ` +
      `${tally.lost} permitted ones lost, ${tally.connectionsLost} of ${tally.connections} connections lost, ` +
      `converged p50 ${at(0.5)}, p99 ${at(0.99)}\n`,
  );
  return tally.wronglyAllowed === 0 && tally.lost === 0 && tally.connectionsLost === 0;
}
