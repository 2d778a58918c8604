// The prober over namespaces that `ip` wired, with nft's own rules as the policy: what it says must be what they do.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Prober } from '../../src/lab/prober/client.ts';
import type { ProbeProtocol } from '../../src/lab/prober/messages.ts';
import { WiredCluster } from './wired-cluster.ts';

/** ICMP's is its echo request. */
const ports: Record<ProbeProtocol, number> = { tcp: 8080, udp: 53, sctp: 3868, icmp: 8 << 8 };

describe('the prober', () => {
  let cluster: WiredCluster;
  let prober: Prober;

  before(async () => {
    cluster = new WiredCluster('prober');
    prober = new Prober(`test-${process.pid}`);
    for (const node of cluster.nodes) await prober.ask('addNode', node);
    for (const pod of cluster.pods) await prober.ask('addPod', pod);
  });

  after(async () => {
    await prober?.close();
    cluster?.remove();
  });

  afterEach(() => {
    for (const node of [1, 2]) cluster.nft(node, 'flush ruleset');
  });

  /** "11>21" for each open pair, sorted. */
  async function openPairs(
    protocol: ProbeProtocol,
    port: number | null = ports[protocol],
  ): Promise<string[]> {
    const pods = cluster.pods.map(({ key }) => ({ key, port }));
    const { open } = await prober.ask('probe', { protocol, pods });
    const short = (position: number) => cluster.pods[position]?.key.slice(-2) ?? '';
    return open.map(([from, to]) => `${short(from)}>${short(to)}`).sort();
  }

  const names = ['11', '12', '21', '22'];
  const pairs = (keep: (from: string, to: string) => boolean) =>
    names.flatMap((from) => names.filter((to) => keep(from, to)).map((to) => `${from}>${to}`)).sort();

  for (const protocol of ['tcp', 'udp', 'sctp', 'icmp'] as const) {
    test(`sees every pair over ${protocol} where nothing is filtered`, async () => {
      assert.deepEqual(
        await openPairs(protocol),
        pairs(() => true),
      );
    });

    test(`finds over ${protocol} exactly the pairs that a rule on the receiver's node drops`, async () => {
      cluster.nft(
        2,
        'table ip t { chain f { type filter hook forward priority 0; ip saddr 192.168.1.1 ip daddr 192.168.2.0/24 ct state new drop; }; }',
      );
      assert.deepEqual(
        await openPairs(protocol),
        pairs((from, to) => !(from === '11' && to.startsWith('2'))),
      );
    });

    test(`finds over ${protocol} exactly the pairs that a rule on the sender's node drops`, async () => {
      cluster.nft(
        1,
        `table ip t { chain f { type filter hook forward priority 0; ct state established accept; iifname "cali2" ip saddr 192.168.1.2 drop; }; }`,
      );
      assert.deepEqual(
        await openPairs(protocol),
        pairs((from, to) => from !== '12' || to === '12'),
      );
    });
  }

  test('takes connection tracking to agree that its SCTP packets are valid', async () => {
    for (const node of [1, 2]) {
      cluster.nft(
        node,
        'table ip t { chain f { type filter hook forward priority 0; ct state invalid drop; }; }',
      );
    }
    assert.deepEqual(
      await openPairs('sctp'),
      pairs(() => true),
    );
  });

  test('opens a port that no probe server listens on yet when asked about it', async () => {
    assert.deepEqual(
      await openPairs('tcp', 9999),
      pairs(() => true),
    );
  });

  test('does not probe receivers that have no such port', async () => {
    assert.deepEqual(await openPairs('udp', null), []);
  });

  test('fails instead of calling pods blocked when a sentinel is lost', async () => {
    cluster.nft(
      2,
      'table ip t { chain o { type filter hook output priority 0; ip daddr 192.168.2.1 drop; }; }',
    );
    await assert.rejects(openPairs('udp'), /Cannot send|sentinel/);
  });

  test('fails when two nodes cannot reach each other, as nothing can be said about what they send', async () => {
    cluster.nft(2, 'table ip t { chain i { type filter hook input priority 0; iifname "eth0" drop; }; }');
    await assert.rejects(openPairs('udp'), /Node node-2 \(172\.30\.0\.12\) did not hear node node-1/);
  });

  const flow = (protocol: 'udp' | 'tcp') => [
    { from: 'ns/pod-11', to: 'ns/pod-22', port: ports[protocol] },
    { from: 'ns/pod-21', to: 'ns/pod-12', port: ports[protocol] },
  ];
  const dropAll = 'table ip t { chain f { type filter hook forward priority 0; drop; }; }';

  for (const protocol of ['udp', 'tcp'] as const) {
    test(`a stream of probes over ${protocol} tells when both of its flows were cut, and when they were opened again`, async () => {
      await prober.ask('startStream', { protocol, flows: flow(protocol) });
      cluster.nft(1, dropAll);
      const cutAt = process.hrtime.bigint();
      const cut = await prober.ask('endStream', { verdict: 'blocked', deadlineMs: 5_000 });
      assert.ok(BigInt(cut.lastOldAt) < cutAt, 'nothing passed after nft had returned');
      assert.ok(BigInt(cut.lastOldAt) > 0n, 'something passed before');
      assert.ok(BigInt(cut.turnedAt) > BigInt(cut.lastOldAt), 'it turned after the last that passed');

      const before = process.hrtime.bigint();
      await prober.ask('startStream', { protocol, flows: flow(protocol) });
      cluster.nft(1, 'flush ruleset');
      const openedAt = process.hrtime.bigint();
      const opened = await prober.ask('endStream', { verdict: 'open', deadlineMs: 5_000 });
      assert.ok(BigInt(opened.lastOldAt) < openedAt, 'nothing was dropped after nft had returned');
      assert.ok(BigInt(opened.lastOldAt) > before, 'something was dropped until then');
    });
  }

  test('a stream whose established flow is spared by a new rule is not called blocked', async () => {
    // Connections are only tracked where a rule asks about them, and this one must be tracked from its first packet on.
    cluster.nft(
      1,
      'table ip track { chain f { type filter hook forward priority 0; ct state established accept; }; }',
    );
    await prober.ask('startStream', { protocol: 'udp', flows: flow('udp').slice(0, 1) });
    cluster.nft(
      1,
      'table ip t { chain f { type filter hook forward priority 0; ct state established accept; drop; }; }',
    );
    await assert.rejects(
      prober.ask('endStream', { verdict: 'blocked', deadlineMs: 300 }),
      /^Error: Not blocked 300 ms after the change: ns\/pod-11 to ns\/pod-22 on udp\/53 \(one flow\)$/,
    );
  });

  test('a pod that was removed can no longer be probed', async () => {
    const last = cluster.pods.at(-1);
    assert.ok(last);
    await prober.ask('removePod', { key: last.key });
    await assert.rejects(openPairs('udp'), /The prober has no pod "ns\/pod-22"/);
    await prober.ask('addPod', last);
    assert.deepEqual(
      await openPairs('udp'),
      pairs(() => true),
    );
  });
});
