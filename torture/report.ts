// What every torture of faults says at its end, in the same words.

export interface FaultTally {
  rounds: number;
  probed: number;
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
    wronglyAllowed: 0,
    lost: 0,
    connections: 0,
    connectionsLost: 0,
    convergedMs: [],
  };
}

/** Prints the tally, and returns whether nothing was opened, lost or cut. */
export function report(name: string, seed: number, tally: FaultTally): boolean {
  const times = tally.convergedMs.toSorted((a, b) => a - b);
  const at = (share: number) =>
    times.length === 0
      ? '-'
      : `${Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0)} ms`;
  process.stdout.write(
    `${name}: seed ${seed}, ${tally.rounds} rounds, ${tally.probed} packets probed, ${tally.wronglyAllowed} wrongly allowed, ` +
      `${tally.lost} permitted ones lost, ${tally.connectionsLost} of ${tally.connections} connections lost, ` +
      `converged p50 ${at(0.5)}, p99 ${at(0.99)}\n`,
  );
  return tally.wronglyAllowed === 0 && tally.lost === 0 && tally.connectionsLost === 0;
}
