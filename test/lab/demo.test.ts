// The demo as a stranger runs it: its four matrices, its exit code, and nothing left behind however it ends.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { leftovers, removeRun } from '../../src/lab/run/cleanup.ts';
import { findRun } from '../../src/lab/run/run.ts';
import { LabCommand, runLabCommand } from './lab-command.ts';
import { readMatrices } from './printed-matrix.ts';

const ids = ['run', 'int', 'kill'].map((what) => `test-demo-${what}-${process.pid}`);
const [whole = '', interrupted = '', killed = ''] = ids;

after(async () => {
  for (const id of ids) {
    const run = findRun(id);
    if (run) await removeRun(run);
  }
});

test('the demo proves its four matrices, ends with 0 and leaves nothing behind', async () => {
  const { code, output } = await runLabCommand('demo', '--name', whole);
  assert.equal(code, 0, output);
  const matrices = readMatrices(output);
  assert.equal(matrices.length, 4, output);
  const names = [
    ...['cart-0', 'orders-0', 'pay-0', 'stock-0'],
    ...['api-0', 'api-1', 'db-0', 'job-0'],
    ...['assets-0', 'cache-0', 'front-0', 'front-1'],
  ];
  const isTest = (name: string) => /^(api|db|job)-/.test(name);
  const isOutsideClient = (name: string) => /^(cart|front)-/.test(name);
  const isolated = (from: string, to: string) => (from === to || (!isTest(from) && !isTest(to)) ? '●' : '·');
  const expected = [
    () => '●',
    isolated,
    (from: string, to: string) => (isOutsideClient(from) && to.startsWith('api-') ? '◐' : isolated(from, to)),
    () => '●',
  ];
  for (const [stage, matrix] of matrices.entries()) {
    assert.deepEqual(matrix.names, names);
    const cells = names.map((from) => names.map((to) => expected[stage]?.(from, to)));
    assert.deepEqual(matrix.cells, cells, `stage ${stage + 1}`);
  }
  assert.match(matrices[2]?.legend ?? '', /◐ open on tcp\/http only/);
  assert.match(output, /deny-all enforced +\d+\.\d ms (after|before) the API server's answer/);
  assert.match(output, /no namespace, process or file of the run is left/);
  assert.deepEqual(leftovers(whole), []);
});

test('Ctrl-C ends the demo with 130 and leaves nothing behind', async () => {
  const demo = new LabCommand('demo', '--name', interrupted);
  await demo.said('nodes: calico-node is ready');
  demo.kill('SIGINT');
  assert.equal(await demo.ended(), 130, demo.output);
  assert.match(demo.output, /Interrupted by SIGINT/);
  assert.deepEqual(leftovers(interrupted), []);
});

test('what a killed demo leaves behind is removed by the next "down"', async () => {
  const demo = new LabCommand('demo', '--name', killed);
  await demo.said('pods in 3 namespaces');
  demo.kill('SIGKILL');
  assert.equal(await demo.ended(), 'SIGKILL');
  assert.notDeepEqual(leftovers(killed), []);
  const { code, output } = await runLabCommand('down', '--name', killed);
  assert.equal(code, 0, output);
  assert.deepEqual(leftovers(killed), []);
});
