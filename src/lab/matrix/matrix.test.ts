import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Channel, describeDifference, Matrix, type ProbedPod, portOn } from './matrix.ts';
import { printMatrix } from './print.ts';

const pod = (namespace: string, name: string, node: string, http = 8080): ProbedPod => ({
  namespace,
  name,
  node,
  ip: '192.168.0.1',
  labels: {},
  ports: [{ name: 'http', protocol: 'tcp', port: http }],
});
const pods = [pod('test', 'api', 'node-1'), pod('test', 'db', 'node-2'), pod('web', 'front', 'node-1', 8000)];
const channels: Channel[] = [
  { protocol: 'tcp', port: 'http' },
  { protocol: 'udp', port: 53 },
];
const plain = (_: string, text: string) => text;

test('a matrix starts blocked, and a difference names the cell, the channel and both nodes', () => {
  const matrix = new Matrix(pods, channels);
  matrix.setOpen(0, 0, 2);
  const differences = matrix.differences((from, to, channel) => from === to || channel.port === 53);
  const first = differences.find(({ from, to }) => from.name === 'api' && to.name === 'front');
  assert.ok(first);
  assert.equal(
    describeDifference(first),
    'test/api (node-1) to web/front (node-1) on tcp/http is open and should be blocked',
  );
  // Nine cells on udp/53, three own cells on tcp/http, and the one that is open against the expectation.
  assert.equal(differences.length, 9 + 3 + 1);
});

test('a matrix that is as expected has no differences', () => {
  const matrix = new Matrix(pods, channels);
  for (const c of channels.keys()) for (const p of pods.keys()) matrix.setOpen(c, p, p);
  assert.deepEqual(
    matrix.differences((from, to) => from === to),
    [],
  );
  assert.equal(matrix.openCount, 6);
  assert.equal(matrix.cellCount, 18);
});

test('a cell outside the matrix is refused', () => {
  const matrix = new Matrix(pods, channels);
  assert.throws(() => matrix.setOpen(0, 3, 0), /There is no cell \(0, 3, 0\) in a matrix of 3 pods/);
});

test("a named port is each pod's own number, and a pod without it has none", () => {
  const [api, , front] = pods;
  assert.ok(api && front);
  assert.equal(portOn(api, { protocol: 'tcp', port: 'http' }), 8080);
  assert.equal(portOn(front, { protocol: 'tcp', port: 'http' }), 8000);
  assert.equal(portOn(front, { protocol: 'udp', port: 'http' }), undefined);
  assert.equal(portOn(front, { protocol: 'udp', port: 53 }), 53);
});

test('the table groups pods by namespace and its legend explains cells that are open in part', () => {
  const matrix = new Matrix(pods, channels);
  for (const c of channels.keys()) for (const p of pods.keys()) matrix.setOpen(c, p, p);
  matrix.setOpen(0, 2, 0);
  assert.deepEqual(printMatrix(matrix, plain), [
    '                  test    web',
    '                  t1 t2   w1',
    't1 api    node-1  ●  ·    ·',
    't2 db     node-2  ·  ●    ·',
    'w1 front  node-1  ◐  ·    ●',
    'rows send, columns receive; ● open on all ports, · blocked, ◐ open on tcp/http only',
  ]);
});

test('the table of forty pods stays within a hundred columns', () => {
  const many = Array.from({ length: 40 }, (_, i) => pod(`ns-${i % 4}`, `pod-${i}`, 'node-1')).toSorted(
    (a, b) => a.namespace.localeCompare(b.namespace),
  );
  const widest = Math.max(...printMatrix(new Matrix(many, channels), plain).map((line) => line.length));
  assert.ok(widest <= 100, `the widest line has ${widest} columns`);
});

test('a pod without a port of the name is not probed, so it is neither blocked nor a difference', () => {
  const silent = { ...pod('web', 'silent', 'node-1'), ports: [] };
  const named = new Matrix([...pods.slice(0, 1), silent], channels.slice(0, 1));
  named.setOpen(0, 0, 0);
  named.setOpen(0, 1, 0);
  assert.equal(named.cellCount, 2);
  assert.deepEqual(
    named.differences(() => true),
    [],
  );
  const lines = printMatrix(named, plain);
  assert.equal(lines.at(-2), 'w1 silent  node-1  ●    -');
  assert.equal(lines.at(-1), 'rows send, columns receive; ● open, - no such port');
});
