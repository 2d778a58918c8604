// What the Deny and Log actions do to a packet besides: dropped or rejected, told of with a prefix, and not too often.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { defaultPath } from '../../src/dataplane/index.ts';
import { pollReadable } from '../../src/kernel/index.ts';
import { tableOptions } from '../../src/node/table-options.ts';
import type { FelixConfiguration, PolicyRule } from '../../src/resources/index.ts';
import { settingsOf } from '../policy/felix-settings.ts';
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

  /** What a FelixConfiguration would make of it, over NFLOG. */
  const configure = (spec: FelixConfiguration['spec']) => {
    const metadata = { name: 'default' };
    const settings = settingsOf({
      apiVersion: 'projectcalico.org/v3',
      kind: 'FelixConfiguration',
      metadata,
      spec: spec ?? {},
    });
    node.reconfigure({ ...tableOptions(settings, []), logGroup: group });
  };

  test('logs as a FelixConfiguration bounds it, and without a bound again when that is taken back', () => {
    log.take();
    configure({ logPrefix: 'bound %p', logActionRateLimit: '1/day', logActionRateLimitBurst: 2 });
    send(4, 20);
    assert.deepEqual(log.take(2), ['bound t/security.none: ', 'bound t/security.none: ']);
    configure({ logPrefix: 'free %p' });
    for (const family of families) send(family, 20);
    assert.deepEqual(log.take(40), new Array(40).fill('free t/security.none: '));
  });

  test('goes on logging at its rate when the burst is spent', () => {
    const [perSecond, burst, wanted] = [100, 2, 30];
    for (const family of families) {
      configure({ logActionRateLimit: `${perSecond}/second`, logActionRateLimitBurst: burst });
      log.take();
      const begin = performance.now();
      let lines = 0;
      // Beyond the burst there is a line only for the time that has gone by, however slow the machine is.
      while (lines < burst + wanted) {
        assert.ok(performance.now() < begin + 10_000, `${lines} were logged, and no more`);
        send(family);
        lines += log.take().length;
      }
      const seconds = (performance.now() - begin) / 1000;
      assert.ok(lines <= burst + 1 + perSecond * seconds, `${lines} in ${seconds} s`);
    }
    configure({});
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

describe('a rule that logs, asked in several ways for one packet', () => {
  let node: PathNode;
  let log: NflogReader;
  before(async () => {
    node = await PathNode.make('once', { logGroup: group });
    log = new NflogReader(node.namespace('node'), group);
    const nets = pods.flatMap((pod) => families.map((family) => widened[pod][family]));
    node.calculator.setNetworkSet({
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkSet',
      metadata: { namespace: 't', name: 'wide', labels: { name: 'wide' } },
      spec: { nets },
    });
  });
  after(() => {
    log?.[Symbol.dispose]();
    node?.remove();
  });

  /** Pods a and b, as addresses and in networks. */
  const pods = ['a', 'b'] as const;
  const widened = {
    a: { 4: '10.1.0.0/31', 6: 'fd00:1::/127' },
    b: { 4: '10.1.0.2/31', 6: 'fd00:1::2/127' },
  };
  const everybody = { selector: "name in {'a', 'b', 'wide'}" };

  /** Lets pod b in by these rules, and then by one that allows all. */
  const letIn = (...rules: PolicyRule[]): void => {
    node.calculator.setNetworkPolicy({
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkPolicy',
      metadata: { namespace: 't', name: 'log' },
      spec: { selector: "name == 'b'", types: ['Ingress'], ingress: [...rules, { action: 'Allow' }] },
    });
    node.apply();
  };

  /** What is logged of one datagram from pod a that gets to pod b. */
  const linesOf = (family: Family, rule: Partial<PolicyRule>, port = 7000): number => {
    letIn({ ...rule, action: 'Log' });
    log.take();
    using receiver = node.socket('b', { family, type: 'datagram' });
    using sender = node.socket('a', { family, type: 'datagram' });
    const target = { address: addressOf.b[family], port };
    receiver.bind(target);
    sender.sendTo(Buffer.from('x'), target);
    // Whatever is told of a packet is told before it arrives.
    assert.equal(pollReadable([receiver], 10_000).length, 1);
    return log.take().length;
  };

  test('writes one line where its peers are addresses and networks at once', () => {
    for (const family of families) {
      for (const rule of [
        { source: everybody },
        { destination: everybody },
        { source: everybody, destination: everybody },
        { source: everybody, destination: { notSelector: "name == 'nobody'" } },
      ])
        assert.equal(linesOf(family, rule), 1, JSON.stringify([family, rule]));
    }
  });

  test('bounds the lines of each rule by itself, and lets through what it has no line for', () => {
    node.reconfigure({ logLimit: { count: 1, seconds: 86_400, burst: 2 } });
    letIn({ action: 'Log', protocol: 'UDP', destination: { ports: [7001] } }, { action: 'Log' });
    const arrivedAt = (port: number): [arrived: number, lines: number] => {
      log.take();
      using receiver = node.socket('b', { family: 4, type: 'datagram' });
      receiver.bind({ address: addressOf.b[4], port });
      let arrived = 0;
      for (let n = 0; n < 10; n++) {
        // Each of another connection: of one that is permitted already nothing is logged.
        using sender = node.socket('a', { family: 4, type: 'datagram' });
        sender.sendTo(Buffer.from('x'), { address: addressOf.b[4], port });
        assert.equal(pollReadable([receiver], 10_000).length, 1);
        if (receiver.receive()) arrived++;
      }
      return [arrived, log.take().length];
    };
    assert.deepEqual(
      [arrivedAt(7000), arrivedAt(7001)],
      [
        [10, 2],
        [10, 2],
      ],
    );
    node.reconfigure({ logLimit: undefined });
  });

  test('writes one line where only an address, or only a network, is a peer, and none where neither is', () => {
    const named = (name: string) => ({ source: { selector: `name == '${name}'` } });
    for (const family of families) {
      const counts = ['a', 'wide', 'b'].map((name) => linesOf(family, named(name)));
      assert.deepEqual(counts, [1, 1, 0]);
    }
  });

  test('writes one line where its port is said by number and by name, or by several names', () => {
    const named = ['one', 'other', 'third'].map((name, index) => {
      return { name, containerPort: index < 2 ? 7000 : 7001, protocol: 'UDP' as const };
    });
    node.setPod('b', {}, named);
    for (const family of families) {
      for (const [ports, lines] of [
        [[7000, 'one'], 1],
        [['one', 'other'], 1],
        [['one', 'third', '6000:7000', 'other'], 1],
        [[6000, 'third', 'other'], 1],
        [[7001, 'third'], 0],
      ] as const) {
        const rule = { protocol: 'UDP', destination: { ports: [...ports] } };
        assert.equal(linesOf(family, rule), lines, JSON.stringify([family, ports]));
      }
      const butOne = { protocol: 'UDP', destination: { ports: ['one', 'other'], notPorts: ['third'] } };
      assert.equal(linesOf(family, butOne), 1);
    }
  });
});
