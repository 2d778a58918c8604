// A table of another layout is replaced while packets are in it. The old one here takes long with each packet and then looks its
// verdict up in a map: whoever is on the way there when the table goes must find the map as it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jump, verdict } from '../../src/dataplane/nftables/matches.ts';
import { type Expression, registers, Transaction } from '../../src/kernel/index.ts';
import { KernelCluster, type KernelNode } from './kernel-cluster.ts';
import { podScenario } from './pod-flood.ts';
import { addSlowChain } from './slow-chains.ts';

const rounds = 40;
/** Rules that a packet passes in the old chain: this to the third power. */
const width = 30;

test(`whoever is in a table that is replaced is judged by it to the end (${rounds} rounds)`, async () => {
  const kernel = await KernelCluster.make('retired');
  try {
    await kernel.become(podScenario().first);
    await kernel.listen();
    // Both live on the same node.
    await kernel.startStream(4, [{ from: 3, to: 1, port: 80 }]);
    const node = kernel.nodes[1] ?? assert.fail('there is no node');
    for (let round = 0; round < rounds; round++) {
      addOldChain(node);
      await new Promise(setImmediate);
      node.table.distrust();
      node.apply();
      await node.table.overtaking;
    }
    for (const { name, sent, arrived } of await kernel.stopStream(4)) {
      assert.ok(sent > rounds);
      assert.equal(arrived, sent, `${name}: ${arrived} of ${sent} arrived`);
    }
  } finally {
    await kernel.remove();
  }
});

/** A base chain of no layout of ours: the dataplane replaces all of its table, as after an upgrade. */
function addOldChain({ nftables }: KernelNode): void {
  const transaction = new Transaction({ family: 'inet', name: 'calico' });
  const verdicts = { name: 'old-verdicts', key: ['inet_proto'], verdicts: true } as const;
  const register = registers.wide(0);
  const protocol: Expression = { kind: 'meta', key: 'l4proto', to: register };
  transaction.addSet(verdicts);
  transaction.addElements(verdicts, [{ key: Uint8Array.of(17), verdict: { code: 'accept' } }]);
  const hook = { type: 'filter', hook: 'forward', priority: -10, policy: 'accept' } as const;
  transaction.addChain({ name: 'old', hook });
  const slow = addSlowChain(transaction, width);
  const rules: Expression[][] = [
    [jump(slow)],
    [protocol, { kind: 'lookup', set: verdicts.name, register, to: registers.verdict }],
    [protocol, { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(17) }, verdict('drop')],
  ];
  for (const expressions of rules) transaction.addRule({ chain: 'old', expressions });
  nftables.commit(transaction);
}
