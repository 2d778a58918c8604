// Which flows the demo watches while a policy turns: few enough to probe each within a millisecond, and chosen so that
// every pod that the policy touches is watched in every direction that turns.
import { type Channel, type Expectation, type ProbedPod, portOn } from '../matrix/matrix.ts';
import type { StreamFlow } from '../prober/messages.ts';
import { keyOfPod } from '../running-pods.ts';

/**
 * For each pod, one flow to it and one from it among those whose verdict differs between the two expectations, preferring
 * peers on other nodes than have been used so far. Empty when nothing turns on this channel.
 */
export function turningFlows(
  pods: readonly ProbedPod[],
  channel: Channel,
  before: Expectation,
  after: Expectation,
): StreamFlow[] {
  const flows = new Map<string, StreamFlow>();
  const uses = new Map<string, number>();
  const turns = (from: ProbedPod, to: ProbedPod) => before(from, to, channel) !== after(from, to, channel);
  const add = (candidates: (readonly [ProbedPod, ProbedPod])[]): void => {
    const cost = ([from, to]: readonly [ProbedPod, ProbedPod]) =>
      (uses.get(`${from.node} ${to.node}`) ?? 0) +
      (uses.get(keyOfPod(from)) ?? 0) +
      (uses.get(keyOfPod(to)) ?? 0);
    const [best] = candidates.toSorted((a, b) => cost(a) - cost(b));
    if (!best) return;
    const [from, to] = best;
    const port = portOn(to, channel);
    if (port === undefined) return;
    for (const key of [`${from.node} ${to.node}`, keyOfPod(from), keyOfPod(to)])
      uses.set(key, (uses.get(key) ?? 0) + 1);
    flows.set(`${keyOfPod(from)} ${keyOfPod(to)}`, { from: keyOfPod(from), to: keyOfPod(to), port });
  };
  for (const pod of pods) {
    add(pods.filter((from) => turns(from, pod)).map((from) => [from, pod] as const));
    add(pods.filter((to) => turns(pod, to)).map((to) => [pod, to] as const));
  }
  return [...flows.values()];
}
