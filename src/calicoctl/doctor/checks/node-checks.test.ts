import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Link } from '../../../kernel/index.ts';
import { examine } from '../finding.ts';
import type { NodeFacts } from '../node-facts.ts';
import { localChecks } from './all.ts';
import { nodeChecks } from './node.ts';

describe('a node:', () => {
  const link = (index: number, name: string, mtu: number, more: object = {}): Link => ({
    index,
    name,
    mtu,
    up: true,
    carrier: true,
    group: 0,
    ...more,
  });
  const tunnel = (mtu: number, port = 4789) =>
    link(3, 'vxlan.calico', mtu, { tunnel: 4, vxlan: { vni: 4096, port, parent: 2, learning: false } });
  const facts = (more: Partial<NodeFacts> = {}): NodeFacts => ({
    node: 'a',
    cni: {
      folder: '/etc/cni/net.d',
      configurations: [{ file: '10-calico.conflist', plugins: ['calico', 'portmap'] }],
      pluginFolder: '/opt/cni/bin',
      plugins: ['calico', 'calico-ipam', 'portmap'],
      brokenLinks: [],
      runtimes: [],
    },
    healthUrl: 'http://127.0.0.1:9100/readiness',
    readiness: 'ok',
    bgp: undefined,
    links: [link(2, 'eth0', 1500), tunnel(1450), link(4, 'cali1', 1450)],
    underlay: link(2, 'eth0', 1500),
    podMtu: 1450,
    kernel: [{ what: 'veth', isMet: true, remedy: '' }],
    otherChains: [],
    legacyDrops: [],
    udp: { received: 1_000_000, checksumErrors: 0 },
    ...more,
  });
  const told = (more: Partial<NodeFacts>) =>
    examine(localChecks, facts(more)).map(({ check, severity, what }) => `${check} ${severity}: ${what}`);

  test('nothing is said of one in which all is well', () => {
    assert.deepEqual(told({}), []);
  });

  test('an agent that does not answer, or says why it is not ready', () => {
    assert.deepEqual(told({ readiness: undefined }), ['agent-unwell error: calico-node does not answer']);
    const [silent] = examine(nodeChecks, facts({ readiness: undefined }));
    assert.match(silent?.why ?? '', /^Nobody answers at http:\/\/127\.0\.0\.1:9100\/readiness: /);
    const [unwell] = examine(nodeChecks, facts({ readiness: 'not in sync\nBIRD is not up' }));
    assert.equal(unwell?.why, 'not in sync; BIRD is not up');
  });

  test('a CNI configuration that is missing, or shadowed by another; plugins that are missing', () => {
    const { cni } = facts();
    const other = { file: '05-other.conflist', plugins: ['bridge'] };
    const broken = { file: '00-broken.conf', plugins: [], fault: 'it has no "type"' };
    assert.deepEqual(told({ cni: { ...cni, configurations: [broken] } }), [
      'cni-not-installed error: No CNI configuration names Calico',
    ]);
    assert.deepEqual(told({ cni: { ...cni, configurations: [other, ...cni.configurations] } }), [
      `cni-not-installed error: "05-other.conflist" comes before Calico's "10-calico.conflist"`,
    ]);
    const older = { file: '05-calico.conflist', plugins: ['calico', 'portmap'] };
    assert.deepEqual(told({ cni: { ...cni, configurations: [older, ...cni.configurations] } }), [
      'cni-not-installed error: "05-calico.conflist" and "10-calico.conflist" both name Calico',
    ]);
    const shadowed = {
      ...cni,
      folder: '/var/lib/net.d',
      configurations: [broken, ...cni.configurations],
    };
    const [found] = examine(nodeChecks, facts({ cni: shadowed }));
    assert.match(
      found?.why ?? '',
      /No runtime can read it \(it has no "type"\), and containerd .* gives no pod a network/,
    );
    assert.match(found?.remedy ?? '', /rm \/var\/lib\/net\.d\/00-broken\.conf$/);
    assert.deepEqual(told({ cni: { ...cni, plugins: ['calico', 'portmap'] } }), [
      'cni-not-installed error: The CNI plugin "calico-ipam" is missing',
    ]);
  });

  test('plugins that the configuration calls besides, and that are not there', () => {
    const { cni } = facts();
    const plugins = ['calico', 'portmap', 'bandwidth'];
    const configurations = [{ file: '10-calico.conflist', plugins, ipam: 'host-local' }];
    const [found, ...others] = examine(nodeChecks, facts({ cni: { ...cni, configurations } }));
    assert.equal(
      found?.what,
      '"10-calico.conflist" calls the CNI plugin "bandwidth" and "host-local", which is missing',
    );
    assert.equal(found?.severity, 'error');
    assert.equal(found?.where, 'node "a", /opt/cni/bin');
    assert.match(found?.remedy ?? '', /containernetworking-plugins .*containernetworking\/plugins\/releases/);
    assert.deepEqual(others, []);
    const there = { ...cni, configurations, plugins: [...cni.plugins, 'bandwidth', 'host-local'] };
    assert.deepEqual(told({ cni: there }), []);
  });

  test('an address plugin that is a link out of what calico-node sees; other plugins are called by the runtime, which sees it', () => {
    const { cni } = facts();
    const plugins = [...cni.plugins, 'host-local'];
    const configurations = [
      { file: '10-calico.conflist', plugins: ['calico', 'portmap'], ipam: 'host-local' },
    ];
    const linked = { ...cni, configurations, plugins, brokenLinks: ['host-local', 'portmap'] };
    const found = examine(nodeChecks, facts({ cni: linked }));
    assert.deepEqual(
      found.map(({ check, what }) => `${check}: ${what}`),
      [
        `cni-not-installed: "10-calico.conflist" has addresses of the CNI plugin "host-local", which is a link to what calico-node's container does not see`,
      ],
    );
    assert.match(
      found[0]?.remedy ?? '',
      /cp --remove-destination "\$\(readlink -f \/opt\/cni\/bin\/host-local\)" \/opt\/cni\/bin\/host-local$/,
    );
  });

  test('a runtime that looks for plugins or networks where Calico has put none', () => {
    const { cni } = facts();
    const debian = {
      name: 'containerd',
      file: '/etc/containerd/config.toml',
      pluginFolders: ['/usr/lib/cni'],
      netFolder: '/etc/cni/net.d',
      plugins: ['portmap'],
      namesCalico: true,
    };
    const [found, ...others] = examine(nodeChecks, facts({ cni: { ...cni, runtimes: [debian] } }));
    assert.deepEqual(others, []);
    assert.deepEqual(
      [found?.check, found?.severity, found?.where],
      ['runtime-looks-elsewhere', 'error', 'node "a", /etc/containerd/config.toml'],
    );
    assert.equal(
      found?.what,
      "containerd looks for CNI plugins in /usr/lib/cni, and Calico's are in /opt/cni/bin",
    );
    assert.match(found?.remedy ?? '', /cni\.binFolder=\/usr\/lib\/cni /);
    const elsewhere = { ...debian, plugins: ['calico'], netFolder: '/net.d', namesCalico: false };
    const [network] = examine(nodeChecks, facts({ cni: { ...cni, runtimes: [elsewhere] } }));
    assert.equal(
      network?.what,
      "containerd looks for CNI configurations in /net.d, and Calico's is in /etc/cni/net.d",
    );
    assert.match(network?.remedy ?? '', /cni\.configurationFolder=\/net\.d /);
    // Which of two the kubelet uses is not known.
    const other = { ...debian, name: 'CRI-O', pluginFolders: ['/opt/cni/bin'], plugins: ['calico'] };
    assert.deepEqual(told({ cni: { ...cni, runtimes: [debian, other] } }), []);
    // What was installed nowhere is missed already.
    const without = { ...cni, plugins: ['portmap'], runtimes: [debian] };
    assert.deepEqual(told({ cni: without }), [
      'cni-not-installed error: The CNI plugin "calico" and "calico-ipam" is missing',
    ]);
  });

  test('what is to be typed names no namespace, which is up to who installs', () => {
    const { cni } = facts();
    const findings = examine(
      nodeChecks,
      facts({ readiness: undefined, cni: { ...cni, configurations: [], plugins: [] } }),
    );
    assert.equal(findings.length, 3);
    for (const { remedy } of findings) {
      assert.match(remedy, /kubectl (get pods|delete pod) -A -l k8s-app=calico-node /);
      assert.doesNotMatch(remedy, /calico-system/);
    }
  });

  test('a tunnel that is wider than its underlay, and pods that are wider than their tunnel', () => {
    const links = [link(2, 'eth0', 1400), tunnel(1450), link(4, 'cali1', 1500), link(5, 'cali2', 1450)];
    assert.deepEqual(told({ links }), [
      'mtu-mismatch error: The tunnel is wider than its underlay: "vxlan.calico" has 1450, and "eth0" has room for 1350',
      'mtu-mismatch error: 1 pods have a larger MTU (1500) than the tunnel (1450): cali1',
    ]);
  });

  test('pods that are wider than the underlay, where there is no tunnel', () => {
    const eth0 = link(2, 'eth0', 1500);
    const links = [eth0, link(3, 'storage', 9000), link(4, 'cali1', 9000), link(5, 'cali2', 1500)];
    const what =
      'mtu-mismatch warning: 1 pods have a larger MTU (9000) than "eth0" (1500), by which they reach other nodes: cali1';
    assert.deepEqual(told({ links, underlay: eth0 }), [what]);
    const remedyAt = (podMtu: number) =>
      examine(nodeChecks, facts({ links, underlay: eth0, podMtu }))[0]?.remedy;
    assert.match(remedyAt(9000) ?? '', /^Let new pods have at most 1500: veth_mtu /);
    assert.match(remedyAt(1500) ?? '', /^Make these pods again: .* \(new ones get 1500\)$/);
    assert.deepEqual(told({ links, underlay: link(2, 'eth0', 9000) }), []);
    assert.deepEqual(told({ links, underlay: undefined }), []);
  });

  test('a kernel that lacks what every node needs', () => {
    const kernel = [
      { what: 'nft_ct', isMet: false, remedy: 'load it' },
      { what: 'veth', isMet: true, remedy: 'load it' },
    ];
    assert.deepEqual(told({ kernel }), ['kernel-features error: The kernel lacks nft_ct']);
  });

  test('other firewalls that drop by default', () => {
    const chain = (
      table: string,
      name: string,
      hook: 'forward' | 'postrouting' | 'input',
      policy: 'drop' | 'accept',
    ) => ({
      table: { family: 'ip' as const, name: table },
      name,
      hook: { type: 'filter' as const, hook, priority: 0, policy },
    });
    const otherChains = [
      chain('filter', 'FORWARD', 'forward', 'drop'),
      chain('firewalld', 'filter_FORWARD', 'forward', 'drop'),
      chain('filter', 'OTHER', 'forward', 'accept'),
      chain('nat', 'POSTROUTING', 'postrouting', 'drop'),
      chain('filter', 'INPUT', 'input', 'drop'),
      { ...chain('own', 'last', 'forward', 'accept'), endsWith: 'reject' as const },
    ];
    assert.deepEqual(told({ otherChains, legacyDrops: ['FORWARD'] }), [
      'foreign-firewall error: Chain "FORWARD" of table "ip filter" drops by default what is forwarded',
      'foreign-firewall error: Chain "filter_FORWARD" of table "ip firewalld" drops by default what is forwarded; it is firewalld\'s',
      'foreign-firewall warning: Chain "INPUT" of table "ip filter" drops by default what is input of this node',
      'foreign-firewall error: Chain "last" of table "ip own" rejects with its last rule what is forwarded',
      'foreign-firewall error: Chain "FORWARD" of the old iptables drops by default; Docker does that',
    ]);
  });

  test('a BIRD that does not run, a session that is down with its reason, and objects that cannot be used', () => {
    const numbers = { asNumber: 64_512, localAsNumber: 64_512 };
    const session = {
      ...numbers,
      name: 'mesh',
      family: 4 as const,
      kind: 'Mesh' as const,
      since: new Date(),
    };
    const up = { ...session, peer: '192.0.2.2', state: 'Established' as const };
    const down = { ...session, peer: '192.0.2.3', state: 'Active' as const, reason: 'Socket: refused' };
    const bgp = {
      isRunning: true,
      sessions: [up, down],
      faults: [{ object: 'BGPPeer "x"', sentence: 'has no peer' }],
    };
    assert.deepEqual(told({ bgp }), [
      'bgp-unwell error: The BGP session with 192.0.2.3 is Active: Socket: refused',
      'bgp-unwell warning: BGPPeer "x": has no peer',
    ]);
    assert.deepEqual(told({ bgp: { isRunning: false, trouble: 'it ended', sessions: [], faults: [] } }), [
      'bgp-unwell error: BGP is not as it should be: it ended',
    ]);
  });

  test('checksums that a card is known to spoil, or has spoilt', () => {
    const card = link(2, 'eth0', 1500, { driver: 'vmxnet3' });
    assert.equal(told({ links: [card, tunnel(1450)] }).length, 1);
    assert.deepEqual(told({ links: [card, tunnel(1450, 8472)] }), []);
    assert.deepEqual(told({ udp: { received: 1_000_000, checksumErrors: 7 } }), []);
    assert.deepEqual(told({ udp: { received: 100, checksumErrors: 7 } }), [
      'vxlan-checksums warning: 7 UDP datagrams arrived with wrong checksums, beside 100 with right ones',
    ]);
  });
});
