// Every case in the real kernel, over both families and every protocol, one after another on the same nodes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KernelCluster, overtakenOrNot } from './kernel-cluster.ts';
import { policyCases } from './policy-cases.ts';

for (const [title, options] of overtakenOrNot) {
  describe(`the kernel does what the documentation says${title}:`, () => {
    let kernel: KernelCluster;
    before(async () => {
      kernel = await KernelCluster.make('cases', options);
    });
    after(() => kernel?.remove());

    for (const [index, [what, cluster]] of policyCases.entries()) {
      test(what, async () => {
        await kernel.become(cluster);
        if (index === 0) await kernel.listen();
        // Five ports of three protocols over both families, three ICMP messages over IPv4 and two over IPv6.
        assert.equal(await kernel.check(what), 6 * 6 * (5 * 3 * 2 + 3 + 2));
      });
    }
  });
}
