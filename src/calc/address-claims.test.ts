import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podAnnotations, workloadEndpointOf } from '../policy/index.ts';
import type { IPAMBlock, Pod } from '../resources/index.ts';
import { Calculator } from './calculator.ts';

const apiVersion = 'projectcalico.org/v3';

interface Said {
  readonly status?: readonly string[];
  readonly annotation?: string;
  readonly isDeleted?: boolean;
  readonly node?: string;
}

function pod(name: string, { status, annotation, isDeleted, node = 'n' }: Said): Pod {
  const annotations = annotation !== undefined && {
    [podAnnotations.podIp]: annotation.split(',')[0] ?? '',
    [podAnnotations.podIps]: annotation,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 't',
      name,
      uid: name,
      labels: { name },
      ...(annotations && { annotations }),
      ...(isDeleted && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: { nodeName: node, containers: [] },
    status: { phase: 'Running', ...(status && { podIPs: status.map((ip) => ({ ip })) }) },
  };
}

/** Of 10.0.0.0/30; by ordinal, whose each address is. */
function block(...owners: (string | null)[]): IPAMBlock {
  return {
    apiVersion,
    kind: 'IPAMBlock',
    metadata: { name: '10-0-0-0-30' },
    spec: {
      cidr: '10.0.0.0/30',
      strictAffinity: false,
      allocations: owners.map((owner, index) => (owner === null ? null : index)),
      unallocated: [],
      attributes: owners.map((owner) => ({
        handle_id: `h-${owner}`,
        secondary: { pod: owner ?? '', namespace: 't', node: 'n' },
      })),
    },
  };
}

/** What pods of this node are programmed with. */
function addresses(...steps: ((calculator: Calculator) => void)[]): Record<string, readonly string[]> {
  const calculator = new Calculator({ node: 'n' });
  for (const step of steps) step(calculator);
  calculator.takeChanges();
  return Object.fromEntries(
    [...calculator.state.endpoints].map(([key, program]) => [key, program.addresses]),
  );
}

const put = (name: string, said: Said) => (calculator: Calculator) => calculator.setPod(pod(name, said));
const assign =
  (...owners: (string | null)[]) =>
  (calculator: Calculator) =>
    calculator.setBlock(block(...owners));

/** The same steps in every order lead to the same. */
function always(expected: Record<string, readonly string[]>, ...steps: Parameters<typeof addresses>): void {
  for (const order of permutations(steps)) assert.deepEqual(addresses(...order), expected);
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}

test("a pod's annotation gives it no address that the kubelet does not tell and IPAM did not assign to it", () => {
  always({}, put('a', { annotation: '10.0.0.1/32' }));
  always({}, put('a', { annotation: '10.0.0.1/32' }), assign(null, 'b', null, null));
  always({ 't/a': ['10.0.0.2'] }, put('a', { annotation: '192.0.2.1', status: ['10.0.0.2'] }));
  always(
    { 't/a': ['10.0.0.2'], 't/b': ['10.0.0.1'] },
    put('a', { annotation: '10.0.0.1/32', status: ['10.0.0.2'] }),
    put('b', { status: ['10.0.0.1'] }),
    assign(null, 'b', 'a', null),
  );
});

test('what IPAM has assigned to the pod its annotation tells before the kubelet does, also of a later sandbox', () => {
  always({ 't/a': ['10.0.0.1'] }, put('a', { annotation: '10.0.0.1/32' }), assign(null, 'a', null, null));
  always(
    { 't/a': ['10.0.0.3'] },
    put('a', { annotation: '10.0.0.3/32', status: ['10.0.0.1'] }),
    assign(null, null, null, 'a'),
  );
});

test('an address that IPAM has assigned to another pod is not that of whom the kubelet still tells to have it', () => {
  always(
    { 't/b': ['10.0.0.1'] },
    put('a', { status: ['10.0.0.1'] }),
    put('b', { status: ['10.0.0.1'] }),
    assign(null, 'b', null, null),
  );
  const freed = addresses(put('a', { status: ['10.0.0.1'] }), assign(null, 'b'), (calculator) =>
    calculator.deleteBlock('10-0-0-0-30'),
  );
  assert.deepEqual(freed, { 't/a': ['10.0.0.1'] });
});

test('of what was set up here the CNI server knows best', () => {
  const attach = (calculator: Calculator) => {
    const endpoint = workloadEndpointOf(pod('a', {})) ?? assert.fail();
    calculator.attachWorkload({ ...endpoint, addresses: ['10.0.0.9'], containerId: 'c' });
  };
  always(
    { 't/a': ['10.0.0.9'] },
    put('a', { annotation: '10.0.0.1/32', status: ['10.0.0.1'] }),
    assign(null, 'a', null, null),
    attach,
  );
});

test('an address that is told twice is had once', () => {
  always({ 't/a': ['10.0.0.1'] }, put('a', { status: ['10.0.0.1', '10.0.0.1'] }));
  always({ 't/a': ['10.0.0.1'] }, put('a', { annotation: '10.0.0.1/32,10.0.0.1/32' }), assign(null, 'a'));
});

test('a deleted pod whose sandbox is gone has no address any more, whatever the kubelet last told', () => {
  always({}, put('a', { annotation: '', status: ['10.0.0.1'], isDeleted: true }));
  always({ 't/a': ['10.0.0.1'] }, put('a', { annotation: '', status: ['10.0.0.1'] }));
});
