// Who peers with whom, and how: every field of BGPPeer and of the mesh.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BgpInput, Peer } from '../../src/bgp/index.ts';
import { modelOf } from '../../src/bgp/index.ts';
import type { BGPPeer, Pod } from '../../src/resources/index.ts';
import { configuration, filter, peer, secret, testInput, testNode } from './test-cluster.ts';

function peersOf(more: Partial<BgpInput>): readonly Peer[] {
  return modelOf(testInput(more)).model?.peers ?? [];
}

function namesOf(more: Partial<BgpInput>): string[] {
  return peersOf(more).map(({ name }) => name);
}

function faultsOf(more: Partial<BgpInput>): string[] {
  return modelOf(testInput(more)).faults.map(({ object, sentence }) => `${object}: ${sentence}`);
}

const noMesh = configuration({ nodeToNodeMeshEnabled: false });
const reflector = (number: number, id = '244.0.0.1', labels: object = { reflector: 'yes' }) =>
  testNode(number, { labels, annotations: { 'projectcalico.org/RouteReflectorClusterID': id } });
const mesh = ['Mesh_10_0_0_2', 'Mesh_10_0_0_3', 'Mesh_fd00__2', 'Mesh_fd00__3'];

const whoPeers: readonly (readonly [string, Partial<BgpInput>, readonly string[]])[] = [
  ['every node with every other, in both families', {}, mesh],
  ['nobody when the mesh is off', { configurations: [noMesh] }, []],
  [
    'nobody with a node that reflects routes',
    { nodes: [testNode(1), testNode(2), reflector(3)] },
    ['Mesh_10_0_0_2', 'Mesh_fd00__2'],
  ],
  ['nobody from a node that reflects routes', { nodes: [reflector(1), testNode(2), testNode(3)] }, []],
  [
    'only by the addresses that a node has',
    { nodes: [testNode(1), testNode(2, { annotations: { 'projectcalico.org/IPv6Address': '' } })] },
    ['Mesh_10_0_0_2'],
  ],
  ['nobody while the node itself is unknown', { nodes: [testNode(2)] }, []],
];

for (const [what, more, names] of whoPeers) {
  test(`the mesh connects ${what}`, () => assert.deepEqual(namesOf(more), names));
}

const off: Partial<BgpInput> = { configurations: [noMesh] };
const router = { peerIP: '10.9.0.1', asNumber: 65001 };
const chosen: readonly (readonly [string, BGPPeer['spec'], readonly string[], Partial<BgpInput>?])[] = [
  ['for all nodes', router, ['Global_10_9_0_1']],
  ['for this node', { node: 'node-1', ...router }, ['Node_10_9_0_1']],
  ['for another node', { node: 'node-2', ...router }, []],
  ['for nodes with our label', { nodeSelector: 'rack == "a"', ...router }, ['Node_10_9_0_1']],
  ['for nodes with another label', { nodeSelector: 'rack == "b"', ...router }, []],
  ['at another port', { peerIP: '10.9.0.1:1790', asNumber: 65001 }, ['Global_10_9_0_1_port_1790']],
  ['over IPv6', { peerIP: '[fd09::1]:1790', asNumber: 65001 }, ['Global_fd09__1_port_1790']],
  ['that is ourselves', { peerIP: '10.0.0.1', asNumber: 64512 }, []],
  [
    'with nodes by selector',
    { nodeSelector: 'rack == "a"', peerSelector: 'rack == "b"' },
    ['Node_10_0_0_3', 'Node_fd00__3'],
  ],
  [
    'from the other side, with nodes that select us',
    { nodeSelector: 'rack == "b"', peerSelector: 'rack == "a"' },
    ['Node_10_0_0_3', 'Node_fd00__3'],
  ],
  [
    'from the other side, unless that is done by hand',
    { nodeSelector: 'rack == "b"', peerSelector: 'rack == "a"', reversePeering: 'Manual' },
    [],
  ],
  [
    'with all nodes',
    { peerSelector: 'all()' },
    ['Global_10_0_0_2', 'Global_10_0_0_3', 'Global_fd00__2', 'Global_fd00__3'],
  ],
];

for (const [what, spec, names, more] of chosen) {
  test(`a BGPPeer sets up sessions ${what}`, () => {
    assert.deepEqual(namesOf({ ...off, peers: [peer(spec)], ...more }), names);
  });
}

test('a BGPPeer takes the place of the mesh where both would make a session', () => {
  const names = namesOf({ peers: [peer({ peerIP: '10.0.0.2', asNumber: 64512 })] });
  assert.deepEqual(names, ['Global_10_0_0_2', ...mesh.slice(1)].sort());
});

test('of two BGPPeers for one session the more particular one is taken, and the other reported', () => {
  const peers = [peer(router, 'a-global'), peer({ node: 'node-1', ...router }, 'b-node')];
  assert.deepEqual(namesOf({ ...off, peers }), ['Node_10_9_0_1']);
  assert.deepEqual(faultsOf({ ...off, peers }), [
    'BGPPeer "a-global": the session with 10.9.0.1 is already that of BGPPeer "b-node"',
  ]);
});

const plain: Peer = {
  name: 'Global_10_9_0_1',
  kind: 'Global',
  resource: 'peer',
  family: 4,
  address: '10.9.0.1',
  port: 179,
  asNumber: 65001,
  localAsNumber: 64512,
  listenPort: 179,
  sourceAddress: '10.0.0.1',
  isBound: false,
  isPassive: false,
  nextHop: 'Auto',
  restartSeconds: 120,
  filters: [],
};

const fields: readonly (readonly [string, BGPPeer['spec'], Partial<Peer>, Partial<BgpInput>?])[] = [
  ['nothing besides', {}, {}],
  ['nextHopMode', { nextHopMode: 'Self' }, { nextHop: 'Self' }],
  ['keepOriginalNextHop', { keepOriginalNextHop: true }, { nextHop: 'Keep' }],
  ['ttlSecurity', { ttlSecurity: 2 }, { ttlHops: 2 }],
  ['localASNumber', { localASNumber: 65009 }, { localAsNumber: 65009 }],
  ['numAllowedLocalASNumbers', { numAllowedLocalASNumbers: 2 }, { allowedLocalAs: 2 }],
  ['keepaliveTime', { keepaliveTime: '1m' }, { keepaliveSeconds: 60 }],
  ['maxRestartTime', { maxRestartTime: '1.5s' }, { restartSeconds: 2 }],
  ['filters', { filters: ['filter'] }, { filters: ['filter'] }, { filters: [filter({})] }],
  ['a filter that does not exist', { filters: ['filter'] }, { filters: 'closed' }],
  [
    'a filter at fault',
    { filters: ['filter'] },
    { filters: 'closed' },
    { filters: [filter({ importV4: [{ action: 'Reject', cidr: '10.0.0.0/99', matchOperator: 'In' }] })] },
  ],
  [
    'a password',
    { password: { secretKeyRef: { name: 'bgp', key: 'rack' } } },
    { password: 'hunter2' },
    { secrets: [secret('bgp', { rack: 'hunter2' })] },
  ],
  [
    'an optional password that is missing',
    { password: { secretKeyRef: { name: 'bgp', key: 'rack', optional: true } } },
    {},
  ],
  [
    'listenPort',
    {},
    { listenPort: 1179 },
    { configurations: [configuration({ nodeToNodeMeshEnabled: false, listenPort: 1179 })] },
  ],
  [
    'bindMode',
    {},
    { isBound: true },
    { configurations: [configuration({ nodeToNodeMeshEnabled: false, bindMode: 'NodeIP' })] },
  ],
  [
    'asNumber of the cluster',
    {},
    { localAsNumber: 65100 },
    { configurations: [configuration({ nodeToNodeMeshEnabled: false, asNumber: 65100 })] },
  ],
  [
    'asNumber of the node, in dotted notation',
    {},
    { localAsNumber: 65537 },
    { nodes: [testNode(1, { annotations: { 'projectcalico.org/ASNumber': '1.1' } })] },
  ],
  [
    'settings of the node over those of the cluster',
    {},
    { localAsNumber: 65200 },
    { configurations: [noMesh, configuration({ asNumber: 65200 }, 'node.node-1')] },
  ],
];

for (const [what, spec, difference, more] of fields) {
  test(`a session carries ${what}`, () => {
    const peers = peersOf({ ...off, peers: [peer({ ...router, ...spec })], ...more });
    assert.deepEqual(peers, [{ ...plain, ...difference }]);
  });
}

test('a session may leave from wherever the kernel sends it', () => {
  const [free] = peersOf({ ...off, peers: [peer({ ...router, sourceAddress: 'None' })] });
  assert.equal(free?.sourceAddress, undefined);
});

test('the mesh has a password, a restart time, ports of its own, and one side that connects', () => {
  const peers = peersOf({
    nodes: [testNode(2), testNode(1), testNode(3)],
    node: 'node-2',
    configurations: [
      configuration({
        nodeMeshPassword: { secretKeyRef: { name: 'bgp', key: 'mesh' } },
        nodeMeshMaxRestartTime: '30s',
      }),
      configuration({ listenPort: 1179 }, 'node.node-3'),
    ],
    secrets: [secret('bgp', { mesh: 'open sesame' })],
  });
  const shown = peers.map(({ name, port, isPassive, password, restartSeconds }) => [
    name,
    port,
    isPassive,
    password,
    restartSeconds,
  ]);
  assert.deepEqual(shown, [
    ['Mesh_10_0_0_1', 179, false, 'open sesame', 30],
    ['Mesh_10_0_0_3', 1179, true, 'open sesame', 30],
    ['Mesh_fd00__1', 179, false, 'open sesame', 30],
    ['Mesh_fd00__3', 1179, true, 'open sesame', 30],
  ]);
});

test('a reflector reflects to its clients of the same system, and to other reflectors only across clusters', () => {
  const reflections = (other: string, spec: BGPPeer['spec']) =>
    peersOf({ ...off, nodes: [reflector(1), testNode(2), reflector(3, other)], peers: [peer(spec)] })
      .filter(({ family }) => family === 4)
      .map(({ address, reflection }) => [address, reflection]);
  assert.deepEqual(reflections('244.0.0.1', { peerSelector: 'all()' }), [
    ['10.0.0.2', { clusterId: '244.0.0.1' }],
    ['10.0.0.3', undefined],
  ]);
  assert.deepEqual(reflections('244.0.0.2', { peerSelector: 'all()' })[1], [
    '10.0.0.3',
    { clusterId: '244.0.0.1' },
  ]);
  assert.deepEqual(reflections('244.0.0.1', { peerIP: '10.9.0.1', asNumber: 65001 }), [
    ['10.9.0.1', undefined],
  ]);
});

test('pods of the node are peers at the address that is set aside for them', () => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'router', namespace: 'edge', labels: { app: 'router' } },
    spec: { nodeName: 'node-1', containers: [] },
    status: { podIP: '192.168.1.5', podIPs: [{ ip: '192.168.1.5' }] },
  };
  const asked = { localWorkloadSelector: 'app == "router"', asNumber: 65010 };
  const settings = configuration({ nodeToNodeMeshEnabled: false, localWorkloadPeeringIPV4: '169.254.30.1' });
  const [found] = peersOf({ configurations: [settings], peers: [peer(asked)], pods: [pod] });
  assert.deepEqual(found, {
    ...plain,
    name: 'Local_Workload_192_168_1_5',
    kind: 'Local_Workload',
    address: '192.168.1.5',
    asNumber: 65010,
    sourceAddress: '169.254.30.1',
  });
  assert.match(
    faultsOf({ ...off, peers: [peer(asked)], pods: [pod] }).join(),
    /has no localWorkloadPeeringIPV4/,
  );
});

const wrong: readonly (readonly [string, BGPPeer['spec'], RegExp, Partial<BgpInput>?])[] = [
  [
    'a Secret that does not exist',
    { password: { secretKeyRef: { name: 'bgp', key: 'rack' } } },
    /Secret "kube-system\/bgp" of its password does not exist; it is not set up/,
  ],
  [
    'a Secret without the key',
    { password: { secretKeyRef: { name: 'bgp', key: 'rack' } } },
    /has no key "rack"/,
    { secrets: [secret('bgp', { other: 'x' })] },
  ],
  [
    'a Secret of another namespace',
    { password: { secretKeyRef: { name: 'bgp', key: 'rack' } } },
    /does not exist/,
    { secrets: [secret('bgp', { rack: 'x' }, 'default')] },
  ],
  [
    'a password that BIRD cannot take',
    { password: { secretKeyRef: { name: 'bgp', key: 'rack' } } },
    /holds a quote or a control character/,
    { secrets: [secret('bgp', { rack: 'a"b' })] },
  ],
  ['an AS number out of range', { asNumber: 4294967296 }, /spec.asNumber: 4294967296 is not an AS number/],
  ['a local AS number out of range', { localASNumber: 0 }, /spec.localASNumber: 0 is not an AS number/],
  ['an address that is none', { peerIP: '10.0.0.300' }, /spec.peerIP: "10.0.0.300" is not an address/],
  ['a node that does not exist', { node: 'node-9' }, /there is no node "node-9"/],
  ['a selector that makes no sense', { nodeSelector: 'rack ==' }, /it is not set up/],
];

for (const [what, spec, sentence, more] of wrong) {
  test(`a BGPPeer with ${what} is left out and reported, and the others go on`, () => {
    const input = {
      ...off,
      ...more,
      peers: [peer({ ...router, ...spec }, 'wrong'), peer({ peerIP: '10.9.0.2', asNumber: 1 }, 'right')],
    };
    assert.deepEqual(namesOf(input), ['Global_10_9_0_2']);
    assert.match(faultsOf(input).join(), sentence);
  });
}

test('a password that is not in its Secret keeps the mesh down rather than open, and its text is never reported', () => {
  const configurations = [
    configuration({ nodeMeshPassword: { secretKeyRef: { name: 'bgp', key: 'mesh' } } }),
  ];
  const input = { configurations, secrets: [secret('bgp', { mesh: 'ends in a break\n' })] };
  assert.deepEqual(namesOf(input), []);
  assert.deepEqual(faultsOf(input), [
    'BGPConfiguration "default": the password in Secret "kube-system/bgp" ends in a line break; was it made from a file?; the mesh is not set up',
  ]);
});

test('a peer behind a gateway gets a route to it', () => {
  const model = modelOf(testInput({ ...off, peers: [peer({ ...router, reachableBy: '10.0.0.254' })] })).model;
  assert.deepEqual(model?.families[0]?.gateways, [{ destination: '10.9.0.1/32', via: '10.0.0.254' }]);
});
