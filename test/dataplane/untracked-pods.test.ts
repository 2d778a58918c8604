// Another program's cache on the node that takes pods' questions and its own answers out of connection tracking, as the DNS cache of
// Kubernetes' nodes does, at an address that services are translated for, too: pods reach it, under their policies.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pollReadable } from '../../src/kernel/index.ts';
import { addressOf, type Family, families, PathNode } from './path-node.ts';

const cache: Readonly<Record<Family, string>> = { 4: '10.96.0.10', 6: 'fd96::10' };
const port = 53;
const arrivalMs = 10_000;
const absenceMs = 100;

describe('a cache on the node, without connection tracking', () => {
  let node: PathNode;
  before(async () => {
    node = await PathNode.make('cache');
    for (const family of families) {
      const [word, length] = family === 4 ? ['ip', 32] : ['ip6', 128];
      node.run('node', 'ip', 'addr', 'add', `${cache[family]}/${length}`, 'dev', 'lo');
      node.nft(
        'node',
        `table ${word} cache {
          chain came { type filter hook prerouting priority raw; ${word} daddr ${cache[family]} meta l4proto { tcp, udp } th dport ${port} notrack; }
          chain sent { type filter hook output priority raw; ${word} saddr ${cache[family]} meta l4proto { tcp, udp } th sport ${port} notrack; }
          chain services { type nat hook prerouting priority dstnat; ${word} daddr ${cache[family]} meta l4proto { tcp, udp } th dport ${port} dnat to ${addressOf.b[family]}; }
        }`,
      );
    }
  });
  after(() => node?.remove());

  const answers = (family: Family, waitMs: number): boolean => {
    using server = node.socket('node', { family, type: 'datagram' });
    using client = node.socket('a', { family, type: 'datagram' });
    server.bind({ address: cache[family], port });
    client.bind({ address: addressOf.a[family], port: 0 });
    client.sendTo(Buffer.from('question'), { address: cache[family], port });
    pollReadable([server], waitMs);
    const question = server.receiveFrom();
    if (!question) return false;
    server.sendTo(Buffer.from('answer'), question.from);
    pollReadable([client], waitMs);
    return client.receiveFrom() !== undefined;
  };

  const accepts = (family: Family, waitMs: number): boolean => {
    using server = node.socket('node', { family, type: 'stream' });
    using client = node.socket('a', { family, type: 'stream' });
    server.bind({ address: cache[family], port });
    server.listen();
    client.bind({ address: addressOf.a[family], port: 0 });
    client.connect({ address: cache[family], port });
    pollReadable([server], waitMs);
    const accepted = server.accept();
    accepted?.socket.close();
    return accepted !== undefined;
  };

  for (const family of families) {
    test(`answers its pods, and is not taken for the service (IPv${family})`, () => {
      assert.deepEqual([answers(family, arrivalMs), accepts(family, arrivalMs)], [true, true]);
    });
  }

  test('hears nothing of a pod whose policy forbids it', () => {
    node.calculator.setGlobalNetworkPolicy({
      apiVersion: 'projectcalico.org/v3',
      kind: 'GlobalNetworkPolicy',
      metadata: { name: 'closed' },
      spec: { selector: "name == 'a'", types: ['Egress'] },
    });
    node.apply();
    for (const family of families)
      assert.deepEqual([answers(family, absenceMs), accepts(family, absenceMs)], [false, false]);
  });
});
