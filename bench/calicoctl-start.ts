// What a person waits for calicoctl, as a multiple of what the bare runtime needs to start and end. Budgets are those of a
// bundle, which is what is shipped: CALICOCTL names one. Without it the sources are measured, which nobody installs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApiServer } from '../src/apiserver/index.ts';
import { accessFromKubeconfig, KubernetesDatastore } from '../src/datastore/index.ts';
import { crds, customResourceDefinitions } from '../src/resources/index.ts';

const rounds = 15;
const bundle = process.env.CALICOCTL;
const program = bundle ?? join(import.meta.dirname, '..', 'bin', 'calicoctl.ts');

const lines = {
  'bare runtime': ['-e', ''],
  'calicoctl version --client': [program, 'version', '--client'],
  'calicoctl get ippools': [program, 'get', 'ippools'],
} as const;

type Name = keyof typeof lines;

/** In multiples of the bare runtime. */
const budgets: Partial<Record<Name, number>> = {
  'calicoctl version --client': 2.5,
  'calicoctl get ippools': 4,
};

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

const environment = { KUBECONFIG: kubeconfig, NODE_COMPILE_CACHE: join(folder, 'cache') };
const times = new Map<Name, number[]>();
// Taken in turns, so that whatever else the machine does falls on all of them; the first round fills the cache.
for (let round = 0; round <= rounds; round++) {
  for (const [name, line] of Object.entries(lines) as [Name, readonly string[]][]) {
    const elapsedMs = await timeOf(line, environment);
    if (round > 0) times.set(name, [...(times.get(name) ?? []), elapsedMs]);
  }
}

console.log(`${bundle ? `bundle ${bundle}` : 'sources'}, median of ${rounds} runs`);
const bare = median(times.get('bare runtime') ?? []);
for (const [name, measured] of times) {
  const [budget, ratio] = [budgets[name], median(measured) / bare];
  const verdict =
    budget === undefined ? '' : `, ${ratio.toFixed(2)} times the bare runtime (budget ${budget})`;
  console.log(`${name}: ${median(measured).toFixed(0)} ms${verdict}`);
  if (bundle && budget !== undefined && ratio > budget) process.exitCode = 1;
}

async function timeOf(
  line: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, line, { stdio: 'ignore', env: { ...process.env, ...environment } });
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
