// What the tests of overtaken packets rest on: they are judged by the chains for these, and by nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chains, table } from '../../src/dataplane/nftables/names.ts';
import { Transaction } from '../../src/kernel/index.ts';
import { KernelCluster } from './kernel-cluster.ts';
import { policyCases } from './policy-cases.ts';

const [, free] = policyCases[0] ?? assert.fail('there is no case');

test('a packet that a change overtakes is dropped where it is judged again, not before', async () => {
  const kernel = await KernelCluster.make('again', { overtaken: 'anywhere' });
  try {
    const namespaces = new Set(free.pods.map(({ metadata }) => metadata.namespace ?? ''));
    const networkPolicies = [...namespaces].map((namespace) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace, name: 'deny' },
      spec: { podSelector: {} },
    }));
    await kernel.become({ ...free, networkPolicies });
    await kernel.listen();
    const others = (pairs: readonly string[]) => pairs.filter((pair) => pair[0] !== pair[2]);
    assert.deepEqual(others(await kernel.reach(4, 'udp', 80)), []);
    for (const { nftables } of kernel.nodes) {
      const transaction = new Transaction(table);
      for (const name of Object.values(chains.again)) transaction.flushChain(name);
      nftables.commit(transaction);
    }
    assert.equal(others(await kernel.reach(4, 'udp', 80)).length, 6 * 5);
  } finally {
    await kernel.remove();
  }
});
