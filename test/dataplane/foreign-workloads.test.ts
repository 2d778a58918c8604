// Interfaces that interfacePrefix says are workloads', and of whom nobody knows anything: nothing passes there, in the real kernel.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { defaultPath } from '../../src/dataplane/index.ts';
import { addressOf, families, PathNode } from './path-node.ts';

let node: PathNode;
before(async () => {
  node = await PathNode.make('foreign', { path: { ...defaultPath, foreignWorkloads: ['tap', 'cal'] } });
});
after(() => node?.remove());

const ways = families.flatMap((family) =>
  (
    [
      ['a', 'outside'],
      ['outside', 'a'],
      ['outside', 'node'],
      ['a', 'b'],
    ] as const
  ).map(([from, to]) => ({ from, to, family })),
);

test('nothing is taken from them nor passed to them, and pods are none of them', () => {
  // Throws where nothing arrives.
  for (const { from, to, family } of ways) node.senderSeen(from, to, family);
  node.run('node', 'ip', 'link', 'set', 'eth0', 'name', 'tap0');
  assert.deepEqual(
    ways.filter(({ from, to, family }) => node.reaches(from, to, family)),
    ways.filter(({ to }) => to === 'b'),
  );
  node.run('node', 'ip', 'link', 'set', 'tap0', 'name', 'eth0');
  for (const family of families)
    assert.equal(node.senderSeen('a', 'outside', family).address, addressOf.a[family]);
});
