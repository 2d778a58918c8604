// What the Deny and Log actions do to a packet besides: dropped or rejected, told of with a prefix, and not too often.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { defaultPath } from '../../src/dataplane/index.ts';
import { pollReadable } from '../../src/kernel/index.ts';
import { NflogReader } from './nflog.ts';
import { addressOf, type Family, families, PathNode } from './path-node.ts';

const group = 7;

describe('a policy that logs and denies', () => {
  let node: PathNode;
  let log: NflogReader;
  before(async () => {
    node = await PathNode.make('deny', { logGroup: group });
    log = new NflogReader(node.namespace('node'), group);
    node.calculator.setTier({
      apiVersion: 'projectcalico.org/v3',
      kind: 'Tier',
      metadata: { name: 'security' },
      spec: { order: 10 },
    });
    node.calculator.setNetworkPolicy({
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkPolicy',
      metadata: { namespace: 't', name: 'security.none' },
      spec: {
        tier: 'security',
        selector: "name == 'b'",
        types: ['Ingress'],
        ingress: [{ action: 'Log' }, { action: 'Deny' }],
      },
    });
    node.apply();
  });
  after(() => {
    log?.[Symbol.dispose]();
    node?.remove();
  });

  /** Sends so many datagrams to pod b. */
  const send = (family: Family, count = 1): void => {
    using sender = node.socket('a', { family, type: 'datagram' });
    for (let n = 0; n < count; n++)
      sender.sendTo(Buffer.from('x'), { address: addressOf.b[family], port: 7000 });
  };

  /** What becomes of a request from pod a: neither refused nor answered within a moment when it was dropped. */
  const fate = (family: Family, type: 'datagram' | 'stream'): 'refused' | 'lost' => {
    using client = node.socket('a', { family, type });
    client.connect({ address: addressOf.b[family], port: 7000 });
    if (type === 'datagram') client.send(Buffer.from('x'));
    return pollReadable([client], 200).length > 0 && client.takeError() ? 'refused' : 'lost';
  };

  test('puts the prefix before the packet, with tier, kind and names where they are asked for', () => {
    for (const [logPrefix, expected] of [
      ['calico-packet', 'calico-packet: '],
      ['%t/%k/%p', 'security/np/t/security.none: '],
      ['%n 100% %x', 'security.none 100% %x: '],
    ] as const) {
      node.reconfigure({ logPrefix });
      for (const family of families) {
        log.take();
        send(family);
        assert.deepEqual(log.take(1), [expected]);
      }
    }
  });

  test('logs no more than its rate and burst, and goes on denying', () => {
    node.reconfigure({ logLimit: { count: 1, seconds: 86_400, burst: 3 } });
    for (const family of families) {
      log.take();
      send(family, 20);
    }
    // One rule, which both families share.
    node.reconfigure({ logPrefix: 'again' });
    send(4, 20);
    assert.equal(log.take(3).length, 3);
    for (const family of families) assert.equal(fate(family, 'datagram'), 'lost');
  });

  test('rejects instead of dropping, where the node is told to', () => {
    for (const family of families) {
      assert.deepEqual([fate(family, 'datagram'), fate(family, 'stream')], ['lost', 'lost']);
    }
    node.reconfigure({ path: { ...defaultPath, denyAction: 'Reject' } });
    for (const family of families) {
      assert.deepEqual([fate(family, 'datagram'), fate(family, 'stream')], ['refused', 'refused']);
    }
    node.reconfigure({ path: defaultPath });
    assert.equal(fate(4, 'stream'), 'lost');
  });

  test('rejects what no policy of a tier allowed, too', () => {
    node.calculator.deletePolicy('NetworkPolicy', 't/security.none');
    node.calculator.setKubernetesNetworkPolicy({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: 't', name: 'none' },
      spec: { podSelector: {}, policyTypes: ['Egress'] },
    });
    node.reconfigure({ path: { ...defaultPath, denyAction: 'Reject' } });
    for (const family of families) assert.equal(fate(family, 'stream'), 'refused');
  });
});
