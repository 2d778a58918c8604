// `npm run test:cluster [-- NAME...]`: a real Kubernetes on this machine, and ours in it. Runs all suites of test/cluster/suite, or those
// that are named, one after the other. Not part of `npm test`: building Kubernetes takes minutes, the first time.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { kubernetesPrograms } from '../test/cluster/kubernetes-programs.ts';
import { removeAbandonedRuns } from '../test/cluster/run-folder.ts';

const root = join(import.meta.dirname, '..');

if (spawnSync('go', ['version']).status !== 0) fail('install Go 1.26 or newer, which builds Kubernetes');
if (process.getuid?.() !== 0) fail('the cluster is made of namespaces, mounts and cgroups: run this as root');

const suites = globSync('test/cluster/suite/*.ts', { cwd: root }).toSorted();
const names = process.argv.slice(2);
for (const name of names) {
  if (!existsSync(join(root, 'test/cluster/suite', `${name}.ts`))) {
    fail(
      `there is no suite "${name}"; there are ${suites.map((suite) => basename(suite, '.ts')).join(', ')}`,
    );
  }
}
const files = names.length > 0 ? names.map((name) => `test/cluster/suite/${name}.ts`) : suites;
// Here, where it may take as long as it takes: in the first suite it would count against that suite's limit.
try {
  kubernetesPrograms();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
const child = spawn(
  process.execPath,
  ['--test', '--test-concurrency=1', '--test-timeout=2700000', ...files],
  { cwd: root, stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', async (code) => {
  // A suite that a signal ends removes nothing.
  await removeAbandonedRuns();
  process.exit(code ?? 1);
});

function fail(line: string): never {
  process.stderr.write(`calico-ts: ${line}\n`);
  process.exit(1);
}
