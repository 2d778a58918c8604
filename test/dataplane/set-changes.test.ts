// Connections that a change of a set forbids are cut for good, however large the set and however much is sent meanwhile.
import { after, before, describe, test } from 'node:test';
import type { Cluster } from '../../src/policy/index.ts';
import type { GlobalNetworkPolicy } from '../../src/resources/index.ts';
import { KernelCluster } from './kernel-cluster.ts';
import { networkSet } from './network-set.ts';
import { policyCases } from './policy-cases.ts';

const free = policyCases[0]?.[1] as Cluster;
const families = [4, 6] as const;
const ports = [79, 80, 81];
const receiver = 1;
/** On the receiver's node and on the other. */
const senders = [0, 3];
const rounds = 2;
const deadlineMs = 20_000;

/** Networks of nobody, to make the change of a set a long one. */
const others = Array.from({ length: 2000 }, (_, n) => [
  `172.${16 + (n >> 8)}.${n & 255}.0/25`,
  `fd77:${n.toString(16)}::/48`,
]).flat();
const remaining = ['203.0.113.0/24', 'fd99::/64'];
const ofSenders = ['10.1.0.0/31', '10.1.0.4/31', 'fd00:1::/127', 'fd00:1::4/127'];

/** Whether the set has them says whether senders reach the receiver. */
const kinds = {
  'a list of those who may': { rule: { action: 'Allow', source: { selector: 'list == "x"' } }, open: true },
  'a list of those who may not': {
    rule: { action: 'Deny', source: { selector: 'list == "x"' } },
    open: false,
  },
} as const;

function clusterOf({ rule }: (typeof kinds)[keyof typeof kinds], nets: readonly string[]): Cluster {
  const policy: GlobalNetworkPolicy = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: 'sets' },
    spec: {
      selector: 'all()',
      types: ['Ingress'],
      ingress: [rule, ...(rule.action === 'Deny' ? [{ action: 'Allow' } as const] : [])],
    },
  };
  const set = networkSet('listed', { list: 'x' }, nets);
  return { ...free, networkPolicies: [], globalPolicies: [policy], networkSets: [set] };
}

describe('a flow in full swing', () => {
  let kernel: KernelCluster;
  before(async () => {
    kernel = await KernelCluster.make('sets');
  });
  after(() => kernel?.remove());

  for (const [name, kind] of Object.entries(kinds)) {
    test(`is cut by a change of ${name}, in each of ${rounds} rounds`, async () => {
      const full = [...remaining, ...ofSenders, ...others];
      const [opens, closes] = kind.open ? [full, remaining] : [remaining, full];
      for (let round = 0; round < rounds; round++) {
        await kernel.become(clusterOf(kind, opens));
        await kernel.listen();
        for (const family of families)
          await kernel.startStream(
            family,
            senders.flatMap((from) => ports.map((port) => ({ from, to: receiver, port }))),
          );
        await kernel.become(clusterOf(kind, closes));
        // Rejects while any flow, a new one or the one that was there before, still gets through.
        for (const family of families) await kernel.endStream(family, 'blocked', deadlineMs);
      }
    });
  }
});
