// How long a change of policy takes to be felt: flows that shall turn are probed without pause from before the change, and
// the flow that turns last tells when the new verdict was in force everywhere.
import type { Cluster } from '../cluster.ts';
import type { Expectation } from '../matrix/matrix.ts';
import { turningFlows } from './flows.ts';
import { channels, isolatedNamespace } from './stages.ts';

export interface Turn {
  /**
   * From the API server's answer to the first probe that met the new verdict, on the flow that turned last. Negative when all
   * had turned before the answer was there.
   */
  readonly afterAnswerMs: number;
  readonly flows: number;
  readonly probes: number;
  readonly medianGapMs: number;
  readonly widestGapMs: number;
}

const deadlineMs = 10_000;

/** @throws Error when nothing turns between the two expectations, or a flow has not turned by the deadline */
export async function watchTurn(options: {
  readonly cluster: Cluster;
  /** Resolves with the API server's answer. */
  readonly change: () => Promise<void>;
  readonly before: Expectation;
  readonly after: Expectation;
}): Promise<Turn> {
  const { cluster, change, before, after } = options;
  const pods = cluster.pods();
  const subjects = pods.filter(({ namespace }) => namespace === isolatedNamespace);
  // UDP first: there, a flow that was established under the old policy can be watched as well as new ones.
  for (const protocol of ['udp', 'tcp'] as const) {
    for (const channel of channels.filter((candidate) => candidate.protocol === protocol)) {
      const flows = turningFlows(pods, subjects, channel, before, after);
      if (flows.length === 0) continue;
      const opens = pods.some((from) =>
        pods.some((to) => after(from, to, channel) && !before(from, to, channel)),
      );
      await cluster.prober.ask('startStream', { protocol, flows });
      await change();
      const answeredAt = process.hrtime.bigint();
      const result = await cluster.prober.ask('endStream', {
        verdict: opens ? 'open' : 'blocked',
        deadlineMs,
      });
      return {
        afterAnswerMs: Number(BigInt(result.turnedAt) - answeredAt) / 1e6,
        flows: flows.length,
        probes: result.probes,
        medianGapMs: result.medianGapMs,
        widestGapMs: result.widestGapMs,
      };
    }
  }
  throw new Error('Cannot watch a change of policy after which every UDP and TCP flow has its old verdict');
}
