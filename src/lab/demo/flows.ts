// Which flows the demo watches while a policy turns: few enough to probe each within a millisecond, and chosen so that
// every pod that the policy touches is watched in every direction that turns.
import { type Channel, type Expectation, type ProbedPod, portOn } from '../matrix/matrix.ts';
import type { StreamFlow } from '../prober/messages.ts';
import { keyOfPod } from '../running-pods.ts';

/** As many flows as can be probed within a millisecond beside everything else that this machine has to do. */
const fewEnough = 12;

/**
 * Flows whose verdict differs between the two expectations: all of them when they are few, otherwise one to and one from
 * each of the `subjects`, preferring nodes and peers that have been used least. Empty when nothing turns on this channel.
 */
export function turningFlows(
  pods: readonly ProbedPod[],
  subjects: readonly ProbedPod[],
  channel: Channel,
  before: Expectation,
  after: Expectation,
): StreamFlow[] {
  const turning = pods.flatMap((from) =>
    pods.filter((to) => before(from, to, channel) !== after(from, to, channel)).map((to) => ({ from, to })),
  );
  const chosen = turning.length <= fewEnough ? turning : chooseForEach(subjects, turning);
  return chosen.flatMap(({ from, to }) => {
    const port = portOn(to, channel);
    return port === undefined ? [] : [{ from: keyOfPod(from), to: keyOfPod(to), port }];
  });
}

interface Pair {
  readonly from: ProbedPod;
  readonly to: ProbedPod;
}

function chooseForEach(subjects: readonly ProbedPod[], turning: readonly Pair[]): Pair[] {
  const chosen = new Set<Pair>();
  const uses = new Map<string, number>();
  const marks = ({ from, to }: Pair) => [`${from.node} ${to.node}`, keyOfPod(from), keyOfPod(to)];
  const cost = (pair: Pair) => marks(pair).reduce((sum, mark) => sum + (uses.get(mark) ?? 0), 0);
  for (const subject of subjects) {
    for (const end of ['to', 'from'] as const) {
      const [pair] = turning
        .filter((candidate) => candidate[end] === subject)
        .toSorted((a, b) => cost(a) - cost(b));
      if (!pair) continue;
      chosen.add(pair);
      for (const mark of marks(pair)) uses.set(mark, (uses.get(mark) ?? 0) + 1);
    }
  }
  return [...chosen];
}
