// What `establishedConnections` asks for when it is "Keep": a connection that was permitted when it began goes on, as long as nobody
// says otherwise of all connections.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { NftablesDataplane } from '../../src/dataplane/index.ts';
import { Conntrack, type InetSocket, Nftables, pollReadable } from '../../src/kernel/index.ts';
import { addressOf, type Family, families, PathNode, type Place } from './path-node.ts';

const absenceMs = 100;
const arrivalMs = 10_000;

describe('connections that are kept', () => {
  let node: PathNode;
  const sockets: InetSocket[] = [];
  before(async () => {
    node = await PathNode.make('kept', { keepsConnections: true, owned: false });
  });
  after(() => {
    for (const socket of sockets) socket.close();
    node?.remove();
  });

  function deny(): void {
    node.calculator.setKubernetesNetworkPolicy({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: 't', name: 'deny' },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    });
    node.apply();
  }

  async function permit(): Promise<void> {
    node.calculator.deletePolicy('KubernetesNetworkPolicy', 't/deny');
    node.apply();
    await node.nftables.settled();
  }

  let lastPort = 7100;
  /** Of UDP, between two places. */
  function connection(from: Place, to: Place, family: Family) {
    const port = ++lastPort;
    const open = (place: Place) => {
      const socket = node.socket(place, { family, type: 'datagram' });
      socket.bind({ address: addressOf[place][family], port });
      sockets.push(socket);
      return socket;
    };
    const [client, server] = [open(from), open(to)];
    const pass = (sender: InetSocket, receiver: InetSocket, place: Place, waitMs: number) => {
      sender.sendTo(Buffer.from('.'), { address: addressOf[place][family], port });
      if (pollReadable([receiver], waitMs).length === 0) return false;
      receiver.receiveFrom();
      return true;
    };
    return {
      forth: (waitMs = absenceMs) => pass(client, server, to, waitMs),
      back: (waitMs = absenceMs) => pass(server, client, from, waitMs),
    };
  }

  for (const family of families) {
    for (const [from, to] of [
      ['a', 'b'],
      ['outside', 'b'],
      ['a', 'outside'],
    ] as const) {
      test(`go on both ways, and nobody begins another (IPv${family}, from ${from} to ${to})`, async () => {
        await permit();
        const old = connection(from, to, family);
        assert.ok(old.forth(arrivalMs) && old.back(arrivalMs));
        deny();
        assert.ok(!connection(from, to, family).forth(), 'the policy is in force');
        assert.ok(old.back(arrivalMs) && old.forth(arrivalMs));
        await permit();
        deny();
        assert.ok(old.forth(arrivalMs) && old.back(arrivalMs));
      });
    }

    test(`are none of a pod that comes later with the same address (IPv${family})`, async () => {
      await permit();
      const old = connection('outside', 'b', family);
      assert.ok(old.forth(arrivalMs) && old.back(arrivalMs));
      deny();
      assert.ok(old.forth(arrivalMs));
      using conntrack = Conntrack.open({ namespace: node.namespace('node') });
      assert.ok(conntrack.deleteOf(new Set([addressOf.b[family]])) > 0);
      assert.deepEqual([old.forth(), old.back()], [false, false]);
    });
  }

  test('are judged when they are to be kept no more', async () => {
    await permit();
    const old = families.map((family) => connection('a', 'b', family));
    for (const one of old) assert.ok(one.forth(arrivalMs) && one.back(arrivalMs));
    deny();
    for (const one of old) assert.ok(one.forth(arrivalMs));
    const kernel = Nftables.open({ namespace: node.namespace('node') });
    try {
      const next = new NftablesDataplane(kernel, {
        logPrefix: 'calico-packet',
        endpointToHostAction: 'Accept',
        forgetJudgements: async () => {},
        onTrouble: (error) => assert.fail(String(error)),
        owned: false,
      });
      next.apply(node.calculator.state, node.calculator.takeChanges());
      await next.settled();
      for (const one of old) assert.deepEqual([one.forth(), one.back()], [false, false]);
    } finally {
      kernel.close();
    }
  });
});
