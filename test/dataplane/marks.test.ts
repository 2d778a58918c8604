// Marks by other bits than upstream's, in the real kernel: policy works as ever, and what others noted there stays.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Marks } from '../../src/dataplane/index.ts';
import type { GlobalNetworkPolicy } from '../../src/resources/index.ts';
import { addressOf, families, PathNode } from './path-node.ts';

const mask = 0x0f0f0ff0;
const others = 0xf0f0f00f;

const policy = (name: string, spec: GlobalNetworkPolicy['spec']): GlobalNetworkPolicy => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'GlobalNetworkPolicy',
  metadata: { name },
  spec: { selector: "name == 'a'", types: ['Egress'], ...spec },
});

describe('with a mask of its own', () => {
  let node: PathNode;
  before(async () => {
    node = await PathNode.make('marks', { marks: new Marks(mask) });
  });
  after(() => node?.remove());

  const counted = (comment: string): number => {
    const rules = node.run('node', 'nft', 'list', 'table', 'inet', 'watch');
    return Number(new RegExp(`counter packets (\\d+) .*comment "${comment}"`).exec(rules)?.[1] ?? -1);
  };

  test('a policy passes to the next tier, and connections remember, beside what others noted', async () => {
    node.calculator.setTier({
      apiVersion: 'projectcalico.org/v3',
      kind: 'Tier',
      metadata: { name: 'first' },
      spec: { order: 1 },
    });
    node.calculator.setGlobalNetworkPolicy(policy('pass', { tier: 'first', egress: [{ action: 'Pass' }] }));
    node.calculator.setGlobalNetworkPolicy(
      policy('udp', { egress: [{ action: 'Allow', protocol: 'UDP', destination: { ports: [7000] } }] }),
    );
    node.apply();
    await node.nftables.settled();
    node.nft(
      'node',
      `table inet watch {
        chain before { type filter hook prerouting priority -160; iifname "cali*" meta mark set ${others} ct mark set ct mark or ${others}; }
        chain after { type filter hook postrouting priority 300;
          udp dport 7000 meta mark != ${others} counter comment "packet"
          udp dport 7000 ct mark and ${others} != ${others} counter comment "connection"
          udp dport 7000 ct mark and ${mask} != 0 counter comment "remembered"
        }
      }`,
    );
    for (const family of families) {
      assert.ok(node.reaches('a', 'outside', family));
      assert.equal(node.reaches('a', 'outside', family, 7001), false);
    }
    assert.deepEqual([counted('packet'), counted('connection')], [0, 0]);
    assert.ok(counted('remembered') > 0);
    node.run('node', 'nft', 'delete', 'table', 'inet', 'watch');
  });

  test('what was marked by other bits is not believed: the table is made anew, and enforces', async () => {
    const comment = () =>
      /comment "(.*?)"/.exec(node.run('node', 'nft', 'list', 'table', 'inet', 'calico'))?.[1];
    assert.match(comment() ?? '', /marks 0x0f0f0ff0/);
    node.reconfigure({ marks: new Marks() });
    await node.nftables.settled();
    assert.doesNotMatch(comment() ?? '', /marks/);
    for (const family of families) {
      assert.ok(node.reaches('a', 'outside', family));
      assert.equal(node.reaches('a', 'outside', family, 7001), false);
      assert.equal(node.senderSeen('a', 'outside', family).address, addressOf.a[family]);
    }
  });
});

describe('with bits of ours that others write', () => {
  let node: PathNode;
  before(async () => {
    node = await PathNode.make('foreign');
    // As who restores all of a connection's mark.
    node.nft(
      'node',
      `table inet foreign {
        chain before { type filter hook prerouting priority -160; iifname "cali*" meta mark set 0xfffe0000; }
      }`,
    );
  });
  after(() => node?.remove());

  const passingOver = (spec: GlobalNetworkPolicy['spec'], direction: 'ingress' | 'egress'): void => {
    const denied = { protocol: 'UDP', destination: { ports: [7001] } };
    const rules = {
      passes: [{ action: 'Pass', protocol: 'TCP' }],
      denies: [{ action: 'Deny', ...denied }],
    } as const;
    for (const [order, [name, list]] of Object.entries(rules).entries()) {
      node.calculator.setGlobalNetworkPolicy(policy(name, { ...spec, order, [direction]: list }));
    }
    node.apply();
  };

  test('a tier is asked to its end all the same', () => {
    node.calculator.setTier({
      apiVersion: 'projectcalico.org/v3',
      kind: 'Tier',
      metadata: { name: 'first' },
      spec: { order: 1, defaultAction: 'Pass' },
    });
    passingOver({ tier: 'first' }, 'egress');
    for (const family of families) {
      assert.ok(node.reaches('a', 'outside', family));
      assert.equal(node.reaches('a', 'outside', family, 7001), false);
    }
  });

  test('what is denied before translation is denied', () => {
    node.calculator.setHostEndpoint({
      apiVersion: 'projectcalico.org/v3',
      kind: 'HostEndpoint',
      metadata: { name: 'all', labels: { host: 'here' } },
      spec: { node: 'node-1', interfaceName: '*', profiles: ['projectcalico-default-allow'] },
    });
    const selector = "host == 'here'";
    passingOver({ selector, types: ['Ingress'], preDNAT: true, applyOnForward: true }, 'ingress');
    for (const family of families) {
      assert.ok(node.reaches('a', 'node', family));
      assert.equal(node.reaches('a', 'node', family, 7001), false);
    }
  });
});
