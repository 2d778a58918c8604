// What the Calico that ran before left in iptables and nftables goes; what is anybody else's stays.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { findLeftovers, type Leftovers } from '../../src/dataplane/index.ts';
import {
  closeNamespace,
  createNamespace,
  deleteNamespace,
  inNamespace,
  Nftables,
  namespacePath,
  openNamespace,
} from '../../src/kernel/index.ts';

/** kube-proxy's and Docker's, among which Calico's stood. */
const others = `*nat
:PREROUTING ACCEPT
:KUBE-SERVICES - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 192.0.2.1:6443
COMMIT
*filter
:FORWARD ACCEPT
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A DOCKER-USER -j RETURN
COMMIT
`;

const calicos = `*nat
:cali-PREROUTING - [0:0]
:cali-nat-outgoing - [0:0]
-I PREROUTING 1 -m comment --comment "cali:6gwbT8clXdHdC1b1" -j cali-PREROUTING
-A cali-PREROUTING -m comment --comment "cali:r6XmIziWUJsdOK6Z" -j cali-nat-outgoing
COMMIT
*filter
:cali-FORWARD - [0:0]
:cali-fw-cali12345 - [0:0]
-I FORWARD 1 -m comment --comment "cali:wUHhoiAYhphO9Mso" -j cali-FORWARD
-A FORWARD -m comment --comment "cali:S93hcgKJrXEqnTfs" -m comment --comment "Policy explicitly accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-FORWARD -i cali+ -m comment --comment "cali:8ZoYfO5HKXWbB3pk" -j cali-fw-cali12345
-A cali-fw-cali12345 -m comment --comment "cali:abcdefghijklmnop" -m set --match-set cali40s:abc src -j DROP
COMMIT
`;

const ipSets = `create cali40s:abc hash:net family inet
create cali60s:abc hash:net family inet6
create cali4t0 hash:net family inet
create KUBE-CLUSTER-IP hash:ip,port
add cali40s:abc 10.0.0.0/8
`;

interface Place {
  readonly namespace: number;
  inside(command: string, args: readonly string[], input?: string): string;
  /** Looks and removes here. */
  find(kernel: Nftables): Leftovers;
  remove(leftovers: Leftovers): Promise<void>;
}

async function inOwnNamespace(label: string, work: (place: Place) => Promise<void>): Promise<void> {
  const name = `leftovers-${label}-${process.pid}`;
  createNamespace(name);
  const namespace = openNamespace(namespacePath(name));
  try {
    await work({
      namespace,
      inside: (command, args, input = '') =>
        execFileSync('nsenter', [`--net=${namespacePath(name)}`, command, ...args], {
          input,
          encoding: 'utf8',
          maxBuffer: 1 << 30,
        }),
      find: (kernel) => inNamespace(namespace, () => findLeftovers(kernel, { namespace })),
      remove: async ({ found, faults }) => {
        assert.deepEqual(faults, []);
        for (const leftover of found) await inNamespace(namespace, () => leftover.remove());
      },
    });
  } finally {
    closeNamespace(namespace);
    deleteNamespace(name);
  }
}

const words = ({ found }: Leftovers) => found.map(({ what }) => what);
const setNames = (text: string) => text.split('\n').filter(Boolean).toSorted();

function savedBy({ inside }: Place, tools: readonly string[]): string[][] {
  return tools.map((save) =>
    inside(save, [])
      .split('\n')
      .map((line) => line.replace(/\[\d+:\d+\]/, ''))
      .filter((line) => !line.startsWith('#')),
  );
}

/** Of the other family, as far as addresses and sets are named. */
const forIpv6 = (text: string) =>
  text
    .replaceAll('10.96.0.1/32', 'fd00::1/128')
    .replaceAll('192.0.2.1:6443', '[fd00::2]:6443')
    .replaceAll('cali40', 'cali60');

for (const [backend, expected] of [
  [
    'nft',
    [
      '2 chains and 1 rules in table "ip nat"',
      '2 chains and 2 rules in table "ip filter"',
      'table "ip calico"',
      '2 chains and 1 rules in table "ip6 nat"',
      '2 chains and 2 rules in table "ip6 filter"',
      '3 IP sets',
    ],
  ],
  [
    'legacy',
    [
      'table "ip calico"',
      '7 chains and rules of the old iptables',
      '7 chains and rules of the old ip6tables',
      '3 IP sets',
    ],
  ],
] as const) {
  test(`chains, rules, tables and sets of the Calico before go, and nobody else’s are touched (iptables-${backend})`, () =>
    inOwnNamespace(backend, async (place) => {
      const { inside, namespace } = place;
      const rules = () => savedBy(place, [`iptables-${backend}-save`, `ip6tables-${backend}-save`]);
      const both = (text: string) => {
        inside(`iptables-${backend}-restore`, ['--noflush'], text);
        inside(`ip6tables-${backend}-restore`, ['--noflush'], forIpv6(text));
      };
      inside('ipset', ['restore'], ipSets);
      both(others);
      const before = rules();
      both(calicos);
      inside(
        'nft',
        ['-f', '-'],
        'table ip calico { map m { type ifname : verdict; }; chain w { drop; }; chain a { type filter hook forward priority 0; iifname vmap @m; jump w; }; }\n' +
          'add element ip calico m { "cali12345" : goto w }\n',
      );
      assert.notDeepEqual(rules(), before);

      using kernel = Nftables.open({ namespace });
      const leftovers = place.find(kernel);
      assert.deepEqual(words(leftovers), expected);
      assert.deepEqual(words(place.find(kernel)), expected, 'looking removes nothing');
      await place.remove(leftovers);
      assert.deepEqual(rules(), before);
      assert.deepEqual(setNames(inside('ipset', ['list', '-name'])), ['KUBE-CLUSTER-IP']);
      assert.deepEqual(words(place.find(kernel)), [], 'there is nothing left');
    }));

  test(`who loses packets where others drop by default is told (iptables-${backend})`, () =>
    inOwnNamespace(`drops-${backend}`, async (place) => {
      const { inside, namespace } = place;
      inside('ipset', ['restore'], ipSets);
      inside(`iptables-${backend}-restore`, ['--noflush'], calicos);
      using kernel = Nftables.open({ namespace });
      const warned = () => place.find(kernel).found.flatMap(({ warning }) => warning ?? []);
      assert.deepEqual(warned(), []);
      inside(`iptables-${backend}`, ['-P', 'FORWARD', 'DROP']);
      assert.match(warned().join(), /^Chain "FORWARD" of .* drops by default.*-P FORWARD ACCEPT/);
    }));
}

test('rules of the old iptables are found among tens of thousands of kube-proxy’s', () =>
  inOwnNamespace('many', async (place) => {
    const { inside, namespace } = place;
    const many = Array.from(
      { length: 20_000 },
      (_, n) => `-A KUBE-SERVICES -m comment --comment "service ${n}" -j RETURN\n`,
    );
    inside('ipset', ['restore'], ipSets);
    inside('iptables-legacy-restore', [], others.replace(/(?=COMMIT)/, many.join('')));
    inside('iptables-legacy-restore', ['--noflush'], calicos);
    using kernel = Nftables.open({ namespace });
    await place.remove(place.find(kernel));
    const saved = inside('iptables-legacy-save', []);
    assert.doesNotMatch(saved, /cali/);
    assert.equal(saved.match(/"service \d+"/g)?.length, many.length);
  }));

test('a set that somebody else’s rule uses stays, and is named', () =>
  inOwnNamespace('used', async (place) => {
    const { inside, namespace } = place;
    inside('ipset', ['restore'], ipSets);
    inside('iptables-nft', '-A FORWARD -m set --match-set cali40s:abc src -j DROP'.split(' '));
    using kernel = Nftables.open({ namespace });
    await assert.rejects(place.remove(place.find(kernel)), /Cannot destroy 1 IP sets .*"cali40s:abc"/);
    assert.deepEqual(setNames(inside('ipset', ['list', '-name'])), ['KUBE-CLUSTER-IP', 'cali40s:abc']);
  }));
