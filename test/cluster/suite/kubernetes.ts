// The cluster under test by itself: what Kubernetes does on this machine before anything of ours is in it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { leftovers } from '../run-folder.ts';
import { testImages } from '../test-images.ts';

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start({ nodes: 3, images: testImages() });
});
after(async () => {
  await cluster?.stop();
  assert.deepEqual(leftovers(cluster.run.id), []);
});

test('three nodes join, and none is ready without a network', async () => {
  const nodes = await eventually('three nodes say whether they are ready', async () => {
    const { items } = JSON.parse(await cluster.kubectl(['get', 'nodes', '--output=json']));
    const conditions = items.map(({ status }: { status: { conditions?: { type: string }[] } }) =>
      status.conditions?.find(({ type }) => type === 'Ready'),
    );
    return conditions.length === 3 && conditions.every(Boolean) ? conditions : undefined;
  });
  for (const { status, message } of nodes) {
    assert.equal(status, 'False');
    assert.match(message, /cni plugin not initialized/);
  }
});
