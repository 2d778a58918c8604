// Runs and their removal, with real namespaces and processes: what a run made must be gone, and nothing else.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { createNamespace, deleteNamespace } from '../../src/kernel/index.ts';
import { leftovers, removeAbandonedRuns, removeRun } from '../../src/lab/run/cleanup.ts';
import { identifyProcess, isAlive, processesOfRun, runVariable } from '../../src/lab/run/processes.ts';
import { abandonedRuns, createRun, findRun, namespacePrefix, RunExistsError } from '../../src/lab/run/run.ts';

const children: ChildProcess[] = [];
const namespaces: string[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const name of namespaces) deleteNamespace(name);
});

/** Resolves once the process runs its program, and so carries the mark. */
async function marked(id: string, script: string): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', `echo; ${script}`], {
    env: { ...process.env, [runVariable]: id },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  assert.ok(child.stdout);
  await once(child.stdout, 'data');
  return child;
}

function namespace(name: string): void {
  namespaces.push(name);
  createNamespace(name);
}

test('a removed run leaves no process, namespace or file, not even of a process that ignores SIGTERM', async () => {
  const id = `test-a-${process.pid}`;
  const run = createRun(id);
  assert.equal(statSync(run.folder).mode & 0o777, 0o700);
  writeFileSync(`${run.folder}/anything`, '');
  namespace(`${namespacePrefix(id)}.node-1`);
  const child = await marked(id, "trap '' TERM; read line");
  const gone = once(child, 'exit');
  assert.equal(leftovers(id).length, 3);

  await removeRun(run);
  assert.deepEqual(leftovers(id), []);
  assert.equal(existsSync(run.folder), false);
  assert.deepEqual(await gone, [null, 'SIGKILL']);
});

test('removing a run spares what another run made, though its name begins alike', async () => {
  const id = `test-b-${process.pid}`;
  const [run, other] = [createRun(id), createRun(`${id}-2`)];
  namespace(`${namespacePrefix(other.id)}.node-1`);
  const child = await marked(other.id, 'read line');

  await removeRun(run);
  assert.equal(leftovers(other.id).length, 3);
  assert.ok(child.pid && identifyProcess(child.pid));
  await removeRun(other);
  assert.deepEqual(leftovers(other.id), []);
});

test('a run whose owner lives is not abandoned, and its name is taken', () => {
  const id = `test-c-${process.pid}`;
  const run = createRun(id);
  assert.throws(() => createRun(id), RunExistsError);
  assert.deepEqual(findRun(id), run);
  assert.ok(!abandonedRuns().some((abandoned) => abandoned.id === id));
  return removeRun(run);
});

test('a run whose owner was killed is found and removed by whoever comes next', async () => {
  const id = `test-d-${process.pid}`;
  const cleanup = new URL('../../src/lab/run/run.ts', import.meta.url).pathname;
  const owner = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { createRun } from ${JSON.stringify(cleanup)}; createRun('${id}'); console.log(); process.stdin.resume();`,
  ]);
  children.push(owner);
  await once(owner.stdout, 'data');
  namespace(`${namespacePrefix(id)}.node-1`);
  owner.kill('SIGKILL');
  await once(owner, 'exit');

  assert.ok((await removeAbandonedRuns()).includes(id));
  assert.deepEqual(leftovers(id), []);
});

test('a process is told from another that later has its pid by when it started', () => {
  const identity = identifyProcess(process.pid);
  assert.ok(identity && isAlive(identity));
  assert.equal(isAlive({ ...identity, startTime: '1' }), false);
  assert.equal(identifyProcess(2 ** 22 + 1), undefined);
});

test('the process that asks is not among the processes of the run', () => {
  assert.deepEqual(processesOfRun(`test-e-${process.pid}`), []);
});

test('a name that could not be a folder or a namespace is refused', () => {
  for (const id of ['', '../x', 'A', '-a', 'a.b', 'x'.repeat(40)]) {
    assert.throws(() => createRun(id), /cannot name a cluster/);
  }
});
