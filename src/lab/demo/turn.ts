// How long a change of policy takes to be felt: flows that shall turn are probed without pause from before the change, and
// the last probe that still met the old verdict tells when the new one was in force everywhere.
import type { Cluster } from '../cluster.ts';
import type { Expectation } from '../matrix/matrix.ts';
import { turningFlows } from './flows.ts';
import { channels } from './stages.ts';

export interface Turn {
  /** From the API server's answer to the last probe that met the old verdict. Negative when the kernel was faster than the answer. */
  readonly afterAnswerMs: number;
  readonly flows: number;
  readonly probes: number;
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
  // UDP first: there, a flow that was established under the old policy can be watched as well as new ones.
  const channel = channels
    .filter(({ protocol }) => protocol !== 'sctp')
    .toSorted((a, b) => b.protocol.localeCompare(a.protocol))
    .find((candidate) => turningFlows(pods, candidate, before, after).length > 0);
  if (!channel) throw new Error('Nothing turns between these two stages');
  const flows = turningFlows(pods, channel, before, after);
  const [first] = flows;
  const opens = pods.some((from) =>
    pods.some((to) => after(from, to, channel) && !before(from, to, channel)),
  );
  if (!first) throw new Error('Nothing turns between these two stages');

  const { prober } = cluster;
  const protocol = channel.protocol === 'udp' ? 'udp' : 'tcp';
  await prober.ask('startStream', { protocol, flows });
  await change();
  const answeredAt = process.hrtime.bigint();
  const result = await prober.ask('endStream', { verdict: opens ? 'open' : 'blocked', deadlineMs });
  return {
    afterAnswerMs: Number(BigInt(result.lastOldAt) - answeredAt) / 1e6,
    flows: flows.length,
    probes: result.probes,
    widestGapMs: result.widestGapMs,
  };
}
