// What a person waits for calicoctl, as a multiple of what the bare runtime needs to start and end: of the bundle, which is what
// is shipped, from the second run on.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bundleCalicoctl } from '../setup/bundle/calicoctl.ts';
import { startApiServer } from '../src/apiserver/index.ts';
import { accessFromKubeconfig, KubernetesDatastore } from '../src/datastore/index.ts';
import { crds, customResourceDefinitions } from '../src/resources/index.ts';

const rounds = 40;

/** In multiples of the bare runtime. */
const budgets = { 'version --client': 2.5, 'get ippools': 4 } as const;

await using cleanUp = new AsyncDisposableStack();
const folder = mkdtempSync(join(tmpdir(), `calicoctl-bench-${process.pid}-`));
cleanUp.defer(() => rmSync(folder, { recursive: true }));
const server = await startApiServer({ database: ':memory:' });
cleanUp.defer(() => server.close());
const kubeconfig = join(folder, 'kubeconfig');
writeFileSync(kubeconfig, kubeconfigOf(server.url));
const store = new KubernetesDatastore(accessFromKubeconfig(kubeconfig));
cleanUp.defer(() => store.close());
for (const crd of crds()) await store.create(customResourceDefinitions, crd);

const program = join(folder, 'calicoctl', 'calicoctl.js');
await bundleCalicoctl(dirname(program));

const environment = { ...process.env, KUBECONFIG: kubeconfig, NODE_COMPILE_CACHE: join(folder, 'cache') };
const bareTimes: number[] = [];
const commands = Object.entries(budgets).map(([command, budget]) => ({
  command,
  budget,
  line: [program, ...command.split(' ')],
  times: [] as number[],
}));
for (const { line } of commands) await timeOf(line);
// Taken in turns, so that whatever else the machine does falls on all of them.
for (let round = 0; round < rounds; round++) {
  bareTimes.push(await timeOf(['-e', '']));
  for (const { line, times } of commands) times.push(await timeOf(line));
}

const bareMs = median(bareTimes);
console.log(`bare runtime: ${bareMs.toFixed(0)} ms, median of ${rounds} runs`);
for (const { command, budget, times } of commands) {
  const [elapsedMs, ratio] = [median(times), median(times) / bareMs];
  console.log(
    `calicoctl ${command}: ${elapsedMs.toFixed(0)} ms, ${ratio.toFixed(2)} times the bare runtime (budget ${budget})`,
  );
  if (ratio > budget) process.exitCode = 1;
}

async function timeOf(line: readonly string[]): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, line, { stdio: 'ignore', env: environment });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`Cannot measure "${line.join(' ')}": it ended with exit code ${code}`);
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function kubeconfigOf(server: string): string {
  return JSON.stringify({
    'current-context': 'bench',
    contexts: [{ name: 'bench', context: { cluster: 'bench' } }],
    clusters: [{ name: 'bench', cluster: { server } }],
  });
}
