// What Felix writes into the kernel beside BIRD, which learns all that it finds there, and who is told of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { felixProtocol } from '../../src/kernel/index.ts';
import { bgpConfigurations } from '../../src/resources/index.ts';
import { BgpLab, blockOf, sixBlockOf, sixOf } from './bgp-lab.ts';
import { configuration } from './test-cluster.ts';

test("the way that Felix has written to another node's block is not told on; that to a pod that is here is", async () => {
  await using lab = await BgpLab.make('ways', 3);
  await lab.datastore.create(bgpConfigurations, configuration({ programClusterRoutes: 'Disabled' }));
  const [one = '', two = '', three = ''] = lab.names;
  const [four, six] = [lab.address(one), sixOf(lab.address(one))];
  const [podFour, podSix] = ['192.168.200.1', 'fd10::200:1'];
  for (const route of [
    `${blockOf(1)} via ${four} dev eth0`,
    `${sixBlockOf(1)} via ${six} dev eth0`,
    `${podFour} dev eth0`,
    `${podSix} dev eth0`,
  ]) {
    await lab.inside(two, 'ip', ['route', 'add', ...route.split(' '), 'proto', `${felixProtocol}`]);
  }
  lab.startAgents();
  await lab.established();
  for (const [block, pod, owner, teller] of [
    [blockOf(1), `${podFour}/32`, four, lab.address(two)],
    [sixBlockOf(1), `${podSix}/128`, six, sixOf(lab.address(two))],
  ] as const) {
    await lab.until('the ways are told', async () => {
      const ways = [await lab.knownWays(three, pod), await lab.knownWays(three, block)];
      return ways.every(({ length }) => length > 0);
    });
    // Node two has both ways to the block since before it told of the pod.
    assert.deepEqual(await lab.knownWays(three, pod), [teller]);
    assert.deepEqual(await lab.knownWays(three, block), [owner]);
    assert.deepEqual((await lab.knownWays(two, block)).toSorted(), [owner, 'Kernel'].toSorted());
  }
});
