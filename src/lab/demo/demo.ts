// The demo: brings a cluster up, takes a Kubernetes NetworkPolicy through its life, probes every pod from every pod at each
// stage, and demands that each cell is as expected. Leaves nothing behind, however it ends.
import { parse } from 'yaml';
import type { Datastore } from '../../datastore/index.ts';
import { type KubernetesNetworkPolicy, kubernetesNetworkPolicies } from '../../resources/index.ts';
import { abortOnSignals, Interrupted } from '../abort.ts';
import { Cluster } from '../cluster.ts';
import { channelName, describeDifference, type Expectation } from '../matrix/matrix.ts';
import { printMatrix } from '../matrix/print.ts';
import { leftovers, removeAbandonedRuns } from '../run/cleanup.ts';
import { paint, say, terminalProgress } from '../terminal.ts';
import {
  allowHttp,
  channels,
  denyAll,
  everythingConnected,
  testIsolated,
  testIsolatedButHttp,
} from './stages.ts';
import { type Turn, watchTurn } from './turn.ts';

/** A matrix that was not as expected: the demo has disproved itself. */
class WrongMatrix extends Error {
  override readonly name = 'WrongMatrix';
}

/** Runs the demo to its end and returns the exit code: 0 only when every cell of every stage was as expected. */
export async function runDemo(options: { nodes: number; id: string }): Promise<number> {
  const startedAt = performance.now();
  const stop = new AbortController();
  const ignoreSignals = abortOnSignals(stop);
  const progress = terminalProgress(process.stdout);
  let cluster: Cluster | undefined;
  let code = 0;
  say();
  say(
    paint(
      'bold',
      `calico-lab: a Kubernetes cluster of ${options.nodes === 1 ? 'one node' : `${options.nodes} nodes`} on this machine, and a policy`,
    ),
  );
  say();
  try {
    await removeAbandonedRuns();
    cluster = await Cluster.start({
      id: options.id,
      shape: { nodes: options.nodes },
      progress,
      signal: stop.signal,
      report: (message) => say(`  ${paint('yellow', '!')} ${message}`),
      // A demo with a dead agent has nothing left to show.
      agentDied: (message) => stop.abort(new Error(message)),
    });
    await cluster.startWorkload();
    await showStages(cluster);
  } catch (error) {
    code = report(error);
  }
  say();
  progress.begin('clean up');
  await cluster?.stop();
  const left = leftovers(options.id);
  for (const thing of left) say(`  ${paint('red', '✗')} left behind: ${thing}`);
  progress.end(
    left.length === 0 ? 'no namespace, process or file of the run is left' : 'not everything is gone',
  );
  ignoreSignals();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  say(`  ${paint('dim', `${seconds} s in all`)}`);
  return left.length === 0 ? code : code || 1;
}

async function showStages(cluster: Cluster): Promise<void> {
  const { datastore } = cluster;
  const checked: number[] = [];
  const turns: [string, Turn][] = [];
  const stage = async (title: string, expectation: Expectation): Promise<void> => {
    say();
    say(`${paint('bold', `${checked.length + 1}. ${title}`)}`);
    say();
    checked.push(await check(cluster, expectation));
  };
  const turn = async (what: string, change: () => Promise<void>, before: Expectation, after: Expectation) => {
    const turned = await watchTurn({ cluster, change, before, after });
    turns.push([what, turned]);
    say(`  ${paint('green', '✓')} ${describeTurn(turned)}`);
  };

  await stage('Without a policy, every pod reaches every pod', everythingConnected);

  announce('Apply', denyAll);
  await turn('deny-all enforced', () => apply(datastore, denyAll), everythingConnected, testIsolated);
  await stage('Nothing reaches or leaves the pods of "test"; all else is untouched', testIsolated);

  announce('Apply', allowHttp);
  await turn('allow-http enforced', () => apply(datastore, allowHttp), testIsolated, testIsolatedButHttp);
  await stage(
    'Clients of other namespaces reach port "http" of the api pods, and nothing more',
    testIsolatedButHttp,
  );

  announce('Delete networkpolicy/allow-http and networkpolicy/deny-all in namespace test');
  const remove = async () => {
    for (const name of ['allow-http', 'deny-all']) {
      await datastore.delete(kubernetesNetworkPolicies, { namespace: 'test', name });
    }
  };
  await turn('both lifted', remove, testIsolatedButHttp, everythingConnected);
  await stage('With both deleted, every pod reaches every pod again', everythingConnected);

  const cells = checked.reduce((sum, count) => sum + count, 0);
  say();
  say(paint('bold', 'Proved, in the kernel, packet by packet'));
  say();
  say(
    `  ${cells} cells in ${checked.length} stages (${channels.map(channelName).join(', ')}), each as expected`,
  );
  for (const [what, turned] of turns) say(`  ${what.padEnd(20)} ${formatLatency(turned.afterAnswerMs)}`);
}

function announce(what: string, yaml = ''): void {
  say();
  say(`${paint('dim', '→')} ${what}`);
  if (yaml) {
    say();
    for (const line of yaml.trimEnd().split('\n')) say(`      ${paint('dim', line)}`);
    say();
  }
}

async function check(cluster: Cluster, expectation: Expectation): Promise<number> {
  const matrix = await cluster.probe(channels);
  for (const line of printMatrix(matrix, paint)) say(`  ${line}`);
  say();
  const differences = matrix.differences(expectation);
  if (differences.length > 0) {
    const cells = differences.slice(0, 20).map((difference) => `\n    ${describeDifference(difference)}`);
    throw new WrongMatrix(
      `${differences.length} of ${matrix.cellCount} cells are not as expected:${cells.join('')}${differences.length > 20 ? '\n    ...' : ''}`,
    );
  }
  say(
    `  ${paint('green', '✓')} ${matrix.openCount} open and ${matrix.cellCount - matrix.openCount} blocked cells, each as expected`,
  );
  return matrix.cellCount;
}

async function apply(datastore: Datastore, yaml: string): Promise<void> {
  await datastore.create(kubernetesNetworkPolicies, parse(yaml) as KubernetesNetworkPolicy);
}

function describeTurn(turn: Turn): string {
  return (
    `${formatLatency(turn.afterAnswerMs)} the last probe turned ` +
    paint(
      'dim',
      `(${turn.flows} flows, each probed every ${formatMs(turn.medianGapMs)}, at most ${formatMs(turn.widestGapMs)} apart)`,
    )
  );
}

/** The kernel may be told before the one who asked: the watch event and the answer leave the API server together. */
function formatLatency(ms: number): string {
  return ms < 0
    ? `${formatMs(-ms)} before the API server's answer arrived`
    : `${formatMs(ms)} after the API server's answer`;
}

function formatMs(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function report(error: unknown): number {
  say();
  if (error instanceof Interrupted) {
    say(`  ${paint('yellow', '!')} ${error.message}`);
    return 130;
  }
  say(`  ${paint('red', '✗')} ${error instanceof Error ? error.message : String(error)}`);
  return 1;
}
