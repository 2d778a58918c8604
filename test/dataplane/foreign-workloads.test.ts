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

/** Which of these ways are open. */
const open = () =>
  families.flatMap((family) =>
    (
      [
        ['a', 'outside'],
        ['outside', 'a'],
        ['outside', 'node'],
        ['a', 'b'],
      ] as const
    ).flatMap(([from, to]) => (node.reaches(from, to, family) ? [`${from} > ${to} IPv${family}`] : [])),
  );

test('nothing is taken from them nor passed to them, and pods are none of them', () => {
  const all = families.flatMap((family) =>
    ['a > outside', 'outside > a', 'outside > node', 'a > b'].map((way) => `${way} IPv${family}`),
  );
  assert.deepEqual(open(), all);
  node.run('node', 'ip', 'link', 'set', 'eth0', 'name', 'tap0');
  assert.deepEqual(
    open(),
    all.filter((way) => way.startsWith('a > b')),
  );
  node.run('node', 'ip', 'link', 'set', 'tap0', 'name', 'eth0');
  for (const family of families)
    assert.equal(node.senderSeen('a', 'outside', family).address, addressOf.a[family]);
});
