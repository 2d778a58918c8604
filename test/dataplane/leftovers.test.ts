// What the Calico that ran before left in iptables and nftables goes; what is anybody else's stays.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { removeLeftovers } from '../../src/dataplane/index.ts';
import {
  closeNamespace,
  createNamespace,
  deleteNamespace,
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
-A cali-fw-cali12345 -m comment --comment "cali:abcdefghijklmnop" -j DROP
COMMIT
`;

test('chains, rules and tables of the Calico before go, and nobody else’s are touched', () => {
  const name = `leftovers-${process.pid}`;
  createNamespace(name);
  const namespace = openNamespace(namespacePath(name));
  try {
    const inside = (command: string, args: readonly string[], input = '') =>
      execFileSync('nsenter', [`--net=${namespacePath(name)}`, command, ...args], {
        input,
        encoding: 'utf8',
      });
    const rules = () =>
      ['iptables-nft-save', 'ip6tables-nft-save'].map((save) =>
        inside(save, [])
          .split('\n')
          .map((line) => line.replace(/\[\d+:\d+\]/, ''))
          .filter((line) => !line.startsWith('#')),
      );
    const both = (text: string) => {
      inside('iptables-nft-restore', ['--noflush'], text);
      inside(
        'ip6tables-nft-restore',
        ['--noflush'],
        text.replace(/10\.96\.0\.1\/32/, 'fd00::1/128').replace('192.0.2.1:6443', '[fd00::2]:6443'),
      );
    };
    both(others);
    const before = rules();
    both(calicos);
    inside(
      'nft',
      ['-f', '-'],
      'table ip calico { chain a { type filter hook forward priority 0; drop; }; }\n',
    );
    assert.notDeepEqual(rules(), before);

    using kernel = Nftables.open({ namespace });
    assert.deepEqual(removeLeftovers(kernel), [
      '2 chains and 1 rules in table "ip nat"',
      '2 chains and 2 rules in table "ip filter"',
      'table "ip calico"',
      '2 chains and 1 rules in table "ip6 nat"',
      '2 chains and 2 rules in table "ip6 filter"',
    ]);
    assert.deepEqual(rules(), before);
    assert.deepEqual(removeLeftovers(kernel), [], 'there is nothing left');
  } finally {
    closeNamespace(namespace);
    deleteNamespace(name);
  }
});
