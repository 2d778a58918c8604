// Both families, over VXLAN, by Helm; and two controllers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { calicoImage } from '../calico-image.ts';
import { Cluster } from '../cluster.ts';
import { type } from '../guide.ts';
import { calicoIsReady, installCalicoctl, installGuide } from '../install.ts';
import { leftovers } from '../run-folder.ts';
import { doctorFindsNothing } from '../scenarios/doctor.ts';
import { ipv6 } from '../scenarios/ipv6.ts';
import { twoControllers } from '../scenarios/two-controllers.ts';
import { testImages } from '../test-images.ts';

const pool6 = 'fd66::/56';
let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start({
    nodes: 3,
    isDualStack: true,
    images: [...testImages(), await calicoImage()],
  });
  await installCalicoctl(cluster);
});
after(async () => {
  await cluster?.stop();
  assert.deepEqual(leftovers(cluster.run.id), []);
});

test('Helm installs it with pools of both families, and two controllers', async () => {
  const more = `--set pools.ipv6.cidr=${pool6} --set kubeControllers.replicas=2`;
  for (const command of installGuide.commandsOf('With Helm')) await type(cluster, `${command} ${more}`);
  await calicoIsReady(cluster);
});
test('over IPv6, pods, Services and nodes reach each other, and policies block', (t) =>
  ipv6(t, cluster, pool6));
test('the doctor finds nothing', () => doctorFindsNothing(cluster));
test('of two controllers one acts', (t) => twoControllers(t, cluster));
test('the doctor finds nothing afterwards either', () => doctorFindsNothing(cluster));
