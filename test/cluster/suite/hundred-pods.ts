// A hundred pods at once, with the reference plugin and with ours, on one cluster.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { calicoImage } from '../calico-image.ts';
import { Cluster } from '../cluster.ts';
import { calicoIsReady, manifest } from '../install.ts';
import { leftovers } from '../run-folder.ts';
import { withCalico, withReferencePlugin } from '../scenarios/hundred-pods.ts';
import { testImages } from '../test-images.ts';

let cluster: Cluster;
let reference = Number.NaN;
before(async () => {
  cluster = await Cluster.start({ nodes: 3, images: [...testImages(), await calicoImage()] });
});
after(async () => {
  await cluster?.stop();
  assert.deepEqual(leftovers(cluster.run.id), []);
});

test('the reference plugin runs a hundred pods', async (t) => {
  reference = await withReferencePlugin(t, cluster);
});
test('Calico runs a hundred pods, and nothing of them is left', async (t) => {
  await cluster.kubectl(['apply', '--filename', manifest('calico.yaml')]);
  await calicoIsReady(cluster);
  await withCalico(t, cluster, reference);
});
