import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../resources/index.ts';
import { hostEndpointsByName, wantedHostEndpoints } from './wanted-host-endpoints.ts';

type Config = Parameters<typeof wantedHostEndpoints>[1];

const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'Node-1',
    labels: { zone: 'a', role: 'edge' },
    annotations: {
      'projectcalico.org/IPv4Address': '172.30.0.11/24',
      'projectcalico.org/IPv6Address': 'fd30:0::11/64',
      'projectcalico.org/IPv4VXLANTunnelAddr': '192.168.1.0',
      'projectcalico.org/Interfaces': JSON.stringify([
        { name: 'eth0', addresses: ['172.30.0.11', 'fd30::11'] },
        { name: 'eth1', addresses: ['10.1.0.11'] },
        { name: 'bond0', addresses: ['10.2.0.11'] },
      ]),
    },
  },
  status: {
    addresses: [
      { type: 'InternalIP', address: '172.30.0.11' },
      { type: 'Hostname', address: 'node-1' },
    ],
  },
};
const known = ['172.30.0.11', '192.168.1.0', 'fd30::11'];
const only = (templates: Config['templates']): Config => ({
  autoCreate: 'Enabled',
  createDefaultHostEndpoint: 'Disabled',
  ...(templates && { templates }),
});
/** "name on interface: address address" */
const made = (config: Config, of: Node = node) =>
  wantedHostEndpoints(of, config).map(
    ({ metadata, spec }) =>
      `${metadata.name} on ${spec.interfaceName ?? '-'}: ${spec.expectedIPs?.join(' ')}`,
  );

const cases: readonly (readonly [title: string, config: Config, wanted: readonly string[]])[] = [
  ['none unless they are wanted', { autoCreate: 'Disabled', templates: [{ generateName: 'x' }] }, []],
  ['one for all interfaces', { autoCreate: 'Enabled' }, [`node-1-auto-hep on *: ${known.join(' ')}`]],
  ['none by default, where that is asked', only([]), []],
  [
    'one of the node’s addresses within the ranges of a template',
    only([{ generateName: 'v4', interfaceCIDRs: ['172.30.0.0/16', '10.0.0.0/8'] }]),
    ['node-1-v4-auto-hep on -: 172.30.0.11'],
  ],
  [
    'none where no address is within the ranges',
    only([{ generateName: 'v4', interfaceCIDRs: ['1.0.0.0/8'] }]),
    [],
  ],
  ['a template without a name', only([{}]), [`node-1-auto-hep on -: ${known.join(' ')}`]],
  [
    'one for each interface of a pattern',
    only([{ generateName: 'Nic', interfacePattern: '^eth' }]),
    ['node-1-nic-eth0-auto-hep on eth0: 172.30.0.11 fd30::11', 'node-1-nic-eth1-auto-hep on eth1: 10.1.0.11'],
  ],
  [
    'only interfaces with an address within the ranges',
    only([{ generateName: 'ten', interfacePattern: '.*', interfaceCIDRs: ['10.0.0.0/8'] }]),
    ['node-1-ten-eth1-auto-hep on eth1: 10.1.0.11', 'node-1-ten-bond0-auto-hep on bond0: 10.2.0.11'],
  ],
  [
    'nodes that a selector means',
    only([{ generateName: 'e', nodeSelector: "role == 'edge'", interfaceCIDRs: ['fd30::/64'] }]),
    ['node-1-e-auto-hep on -: fd30::11'],
  ],
  ['not nodes that it does not mean', only([{ generateName: 'e', nodeSelector: "role == 'core'" }]), []],
  ['nothing by a selector that cannot be read', only([{ generateName: 'e', nodeSelector: 'role ==' }]), []],
  ['nothing by a pattern that cannot be read', only([{ generateName: 'e', interfacePattern: 'eth(' }]), []],
];

for (const [title, config, wanted] of cases)
  test(`host endpoints of a node: ${title}`, () => assert.deepEqual(made(config), wanted));

test('a host endpoint bears the labels of node and template, tells who made it, and allows by its profile', () => {
  const [endpoint] = wantedHostEndpoints(
    node,
    only([
      {
        labels: { zone: 'b', tier: 'x' },
        annotations: { why: 'because' },
        interfaceCIDRs: ['172.30.0.0/24'],
      },
    ]),
  );
  assert.deepEqual(endpoint, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'HostEndpoint',
    metadata: {
      name: 'node-1-auto-hep',
      labels: {
        zone: 'b',
        role: 'edge',
        tier: 'x',
        'projectcalico.org/created-by': 'calico-kube-controllers',
      },
      annotations: { why: 'because' },
    },
    spec: { node: 'Node-1', expectedIPs: ['172.30.0.11'], profiles: ['projectcalico-default-allow'] },
  });
});

test('names that are too long are cut, and stay apart', () => {
  const names = ['a', 'b']
    .flatMap((end) =>
      wantedHostEndpoints(
        { ...node, metadata: { ...node.metadata, name: 'n'.repeat(252) + end } },
        { autoCreate: 'Enabled' },
      ),
    )
    .map(({ metadata }) => metadata.name);
  assert.equal(new Set(names).size, 2);
  for (const name of names) assert.match(name, /^n+-[0-9a-f]{11}-auto-hep$/);
  assert.ok(names.every(({ length }) => length <= 253));
});

test('interfaces whose names no object may have get host endpoints of names that it may', () => {
  const annotations = {
    'projectcalico.org/Interfaces': JSON.stringify(
      ['ovs_data0', 'ovs@data0'].map((name) => ({ name, addresses: ['10.1.0.11'] })),
    ),
  };
  const endpoints = wantedHostEndpoints(
    { ...node, metadata: { ...node.metadata, annotations } },
    only([{ interfacePattern: '.*' }]),
  );
  const names = endpoints.map(({ metadata }) => metadata.name);
  assert.equal(new Set(names).size, 2);
  for (const name of names) assert.match(name, /^node-1-ovs-data0-[0-9a-f]{11}-auto-hep$/);
  assert.deepEqual(
    endpoints.map(({ spec }) => spec.interfaceName),
    ['ovs_data0', 'ovs@data0'],
  );
});

test('what a node says of its interfaces in another form counts as silence', () => {
  for (const interfaces of ['{', '"eth0"', '[1, null, {"name": 3}]']) {
    const annotations = { 'projectcalico.org/Interfaces': interfaces };
    assert.deepEqual(
      made(only([{ interfacePattern: '.*' }]), { ...node, metadata: { ...node.metadata, annotations } }),
      [],
    );
  }
});

/** "name on interface: address address" of the nodes' host endpoints; hashes are written as "#". */
const named = (config: Config, ...of: Node[]) =>
  [...hostEndpointsByName(of, config)].map(([name, { metadata, spec }]) => {
    assert.equal(name, metadata.name);
    return `${name.replace(/[0-9a-f]{11}/, '#')} on ${spec.interfaceName ?? '-'}: ${spec.expectedIPs?.join(' ')}`;
  });
const called = (name: string, address: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, annotations: { 'projectcalico.org/IPv4Address': address } },
});

test('a template without a name leaves the host endpoint for all interfaces its own', () => {
  const config: Config = { autoCreate: 'Enabled', templates: [{ interfaceCIDRs: ['172.30.0.0/16'] }] };
  assert.deepEqual(named(config, node), [
    `node-1-auto-hep on *: ${known.join(' ')}`,
    'node-1-#-auto-hep on -: 172.30.0.11',
  ]);
});

test('templates of one name, and those whose names come to the same with an interface, each make a host endpoint', () => {
  const config = only([
    { generateName: 'nic', interfacePattern: '^eth' },
    { generateName: 'Nic', interfacePattern: '^eth1$', labels: { second: 'true' } },
    { generateName: 'nic', interfacePattern: '^eth1$', labels: { third: 'true' } },
    { generateName: 'nic-eth0', interfaceCIDRs: ['fd30::/64'] },
  ]);
  const wanted = [
    'node-1-nic-eth0-auto-hep on eth0: 172.30.0.11 fd30::11',
    'node-1-nic-eth1-auto-hep on eth1: 10.1.0.11',
    'node-1-nic-eth1-#-auto-hep on eth1: 10.1.0.11',
    'node-1-nic-eth1-#-auto-hep on eth1: 10.1.0.11',
    'node-1-nic-eth0-#-auto-hep on -: fd30::11',
  ];
  assert.deepEqual(named(config, node), wanted);
});

test('nodes whose names come to the same with a template’s have host endpoints of their own, in whatever order they came', () => {
  const config: Config = { autoCreate: 'Enabled', templates: [{ generateName: 'b' }] };
  const [one, other] = [called('a', '10.0.0.1'), called('a-b', '10.0.0.2')];
  const wanted = [
    'a-auto-hep on *: 10.0.0.1',
    'a-b-auto-hep on *: 10.0.0.2',
    'a-b-#-auto-hep on -: 10.0.0.1',
    'a-b-b-auto-hep on -: 10.0.0.2',
  ];
  assert.deepEqual(named(config, one, other), wanted);
  assert.deepEqual(hostEndpointsByName([other, one], config), hostEndpointsByName([one, other], config));
});

test('a host endpoint that shares its name keeps the name that it got while another template changes', () => {
  const names = (label: string) => [
    ...hostEndpointsByName(
      [node],
      only([{ generateName: 'x', labels: { label } }, { generateName: 'x' }, { generateName: label }]),
    ).keys(),
  ];
  assert.deepEqual(names('a').slice(0, 2), names('b').slice(0, 2));
});
