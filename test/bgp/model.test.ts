// What a node tells its peers of pods and services, what reaches the kernel, and filters as data.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BgpInput, FilterMatch, FilterOperation } from '../../src/bgp/index.ts';
import { modelOf, parseAsNumber, secondsOf } from '../../src/bgp/index.ts';
import type { BGPFilterRule, EndpointSlice, Service } from '../../src/resources/index.ts';
import { affinity, configuration, filter, peer, pool, testInput, testNode } from './test-cluster.ts';

function familyOf(more: Partial<BgpInput>, family = 4) {
  return modelOf(testInput(more)).model?.families.find((model) => model.family === family);
}

function faultsOf(more: Partial<BgpInput>): string[] {
  return modelOf(testInput(more)).faults.map(({ object, sentence }) => `${object}: ${sentence}`);
}

test('AS numbers are read in both notations, and nothing else is one', () => {
  const texts = [
    '64512',
    64512,
    '1.10',
    '65535.65535',
    '0',
    '0.0',
    '65536.0',
    '1.65536',
    '4294967296',
    '-1',
    'x',
    '',
  ];
  assert.deepEqual(texts.map(parseAsNumber), [
    64512,
    64512,
    65546,
    4294967295,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('durations are whole seconds, rounded up', () => {
  assert.deepEqual(['90s', '1m30s', '100ms', '0', '1.5s', '2h', 'soon', ''].map(secondsOf), [
    90,
    90,
    1,
    0,
    2,
    7200,
    undefined,
    undefined,
  ]);
});

test('a node tells of its own confirmed blocks as a whole, and of nobody else’s', () => {
  const affinities = [
    affinity('192.168.1.64/26', 'node-1'),
    affinity('192.168.1.0/26', 'node-1'),
    affinity('192.168.2.0/26', 'node-2'),
    affinity('192.168.3.0/26', 'node-1', { state: 'pending' }),
    affinity('192.168.4.0/26', 'node-1', { deleted: true }),
    affinity('192.168.5.0/26', 'node-1', { type: 'virtual' }),
    affinity('fd10::/122', 'node-1'),
  ];
  assert.deepEqual(familyOf({ affinities })?.blocks, [
    { cidr: '192.168.1.0/26', isExported: true },
    { cidr: '192.168.1.64/26', isExported: true },
  ]);
  assert.deepEqual(familyOf({ affinities }, 6)?.blocks, [{ cidr: 'fd10::/122', isExported: true }]);
});

test('pools say whether they are told of, and overlays are not for BIRD to write', () => {
  const pools = [
    pool('10.1.0.0/16'),
    pool('10.2.0.0/16', { disableBGPExport: true }),
    pool('10.3.0.0/16', { vxlanMode: 'Always' }),
    pool('10.4.0.0/16', { ipipMode: 'CrossSubnet' }),
    pool('10.1.128.0/17', { disableBGPExport: true }),
  ];
  const affinities = [affinity('10.1.200.0/26', 'node-1')];
  const family = familyOf({ pools, affinities });
  assert.deepEqual(family?.pools, [
    { cidr: '10.1.128.0/17', isExported: false, isProgrammed: true },
    { cidr: '10.1.0.0/16', isExported: true, isProgrammed: true },
    { cidr: '10.2.0.0/16', isExported: false, isProgrammed: true },
    { cidr: '10.3.0.0/16', isExported: true, isProgrammed: false },
    { cidr: '10.4.0.0/16', isExported: true, isProgrammed: false },
  ]);
  assert.deepEqual(family?.blocks, [{ cidr: '10.1.200.0/26', isExported: false }]);
});

for (const [mode, isProgrammed, faults] of [
  [undefined, true, 0],
  ['EnabledNoEncapOnly', true, 0],
  ['Enabled', true, 1],
  ['EnabledIPIPOnly', false, 1],
  ['Disabled', false, 0],
] as const) {
  test(`with programClusterRoutes ${mode ?? 'unset'} BIRD ${isProgrammed ? 'writes' : 'does not write'} routes between nodes`, () => {
    const configurations = [configuration(mode === undefined ? {} : { programClusterRoutes: mode })];
    assert.equal(familyOf({ configurations })?.pools[0]?.isProgrammed, isProgrammed);
    assert.equal(faultsOf({ configurations }).length, faults);
  });
}

test('router id, priorities, severity and ignored interfaces come from the settings', () => {
  const configurations = [
    configuration({
      ipv4NormalRoutePriority: 100,
      ipv6NormalRoutePriority: 200,
      logSeverityScreen: 'warning',
      ignoredInterfaces: ['lan*', 'bad name'],
    }),
  ];
  const { model, faults } = modelOf(testInput({ configurations }));
  assert.deepEqual(
    [
      model?.routerId,
      model?.families.map(({ priority }) => priority),
      model?.logSeverity,
      model?.ignoredInterfaces,
    ],
    ['10.0.0.1', [100, 200], 'Warning', ['lan*']],
  );
  assert.match(faults[0]?.sentence ?? '', /"bad name" is not the name of an interface/);
});

test('a node without IPv4 has a router id that is always the same', () => {
  const nodes = [testNode(1, { annotations: { 'projectcalico.org/IPv4Address': '' } })];
  const [first, second] = [0, 1].map(() => modelOf(testInput({ nodes })).model);
  assert.deepEqual(
    first?.families.map(({ family }) => family),
    [6],
  );
  assert.match(first?.routerId ?? '', /^[1-9][0-9]*(\.[0-9]+){3}$/);
  assert.equal(first?.routerId, second?.routerId);
});

test('annotations that make no sense are reported, and the node goes on without them', () => {
  const annotations = {
    'projectcalico.org/ASNumber': '4294967296',
    'projectcalico.org/RouteReflectorClusterID': 'main',
    'projectcalico.org/IPv6Address': '10.0.0.9',
  };
  const faults = faultsOf({ nodes: [testNode(1), testNode(2, { annotations })] });
  assert.equal(faults.length, 3);
  for (const part of [
    /is no AS number; it is in 64512/,
    /which is no cluster id/,
    /is not an IPv6 address/,
  ]) {
    assert.ok(
      faults.some((fault) => part.test(fault)),
      `${part} in ${faults.join('\n')}`,
    );
  }
});

test('communities stand by name or value for the routes that carry them', () => {
  const configurations = [
    configuration({
      communities: [{ name: 'backup', value: '64512:20' }],
      prefixAdvertisements: [
        { cidr: '192.168.0.0/20', communities: ['backup', '1:2:3'] },
        { cidr: 'fd10::/64', communities: ['64512:30'] },
        { cidr: '10.0.0.0/8', communities: ['unheard'] },
        { cidr: '10.0.0.0/8', communities: ['64512:70000'] },
      ],
    }),
  ];
  assert.deepEqual(familyOf({ configurations })?.communities, [
    { cidr: '192.168.0.0/20', values: ['64512:20', '1:2:3'] },
  ]);
  assert.deepEqual(familyOf({ configurations }, 6)?.communities, [
    { cidr: 'fd10::/64', values: ['64512:30'] },
  ]);
  assert.equal(faultsOf({ configurations }).length, 2);
});

function service(name: string, spec: Service['spec'], ingress: readonly string[] = []): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec: { type: 'LoadBalancer', ...spec },
    status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } },
  };
}

function slice(name: string, nodeName: string, ready?: boolean): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-x`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [
      { addresses: ['192.168.1.7'], nodeName, ...(ready !== undefined && { conditions: { ready } }) },
    ],
  };
}

const ranges = {
  serviceClusterIPs: [{ cidr: '10.96.0.0/12' }, { cidr: 'fd96::/108' }],
  serviceExternalIPs: [{ cidr: '172.20.0.0/24' }, { cidr: '172.21.0.7/32' }],
  serviceLoadBalancerIPs: [{ cidr: '172.22.0.0/24' }],
};
const whole = ['10.96.0.0/12', '172.20.0.0/24', '172.22.0.0/24'];
const local = {
  externalTrafficPolicy: 'Local' as const,
  clusterIP: '10.96.0.9',
  externalIPs: ['172.20.0.9', '9.9.9.9'],
};

const advertised: readonly (readonly [string, Partial<BgpInput>, readonly string[]])[] = [
  ['ranges as a whole', {}, whole],
  [
    'nothing more for a service that any node serves',
    { services: [service('web', { clusterIP: '10.96.0.5' }, ['172.22.0.5'])] },
    whole,
  ],
  [
    'the addresses of a service that keeps traffic local, where it has an endpoint',
    { services: [service('web', local, ['172.22.0.9'])], endpointSlices: [slice('web', 'node-1')] },
    ['10.96.0.0/12', '10.96.0.9/32', '172.20.0.0/24', '172.20.0.9/32', '172.22.0.0/24', '172.22.0.9/32'],
  ],
  [
    'none of them where its endpoints are elsewhere or not ready',
    {
      services: [service('web', local)],
      endpointSlices: [slice('web', 'node-2'), slice('web', 'node-1', false)],
    },
    whole,
  ],
  [
    'an external address that is a range of its own',
    { services: [service('web', { clusterIP: 'None', externalIPs: ['172.21.0.7'] })] },
    ['10.96.0.0/12', '172.20.0.0/24', '172.21.0.7/32', '172.22.0.0/24'],
  ],
  [
    'load balancer addresses one by one, when they are not aggregated',
    {
      configurations: [configuration({ ...ranges, serviceLoadBalancerAggregation: 'Disabled' })],
      services: [service('web', { clusterIP: '10.96.0.5' }, ['172.22.0.5'])],
    },
    ['10.96.0.0/12', '172.20.0.0/24', '172.22.0.5/32'],
  ],
  [
    'nothing from a node that load balancers are to pass over',
    {
      nodes: [testNode(1, { labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } })],
      services: [service('web', local)],
      endpointSlices: [slice('web', 'node-1')],
    },
    [],
  ],
];

for (const [what, more, routes] of advertised) {
  test(`of services a node tells ${what}`, () => {
    const family = familyOf({ configurations: [configuration(ranges)], ...more });
    assert.deepEqual(family?.services.routes, routes);
    assert.deepEqual(family?.services.ranges, [
      '10.96.0.0/12',
      '172.20.0.0/24',
      '172.21.0.7/32',
      '172.22.0.0/24',
    ]);
  });
}

test('IPv6 services are told of in their own family', () => {
  assert.deepEqual(familyOf({ configurations: [configuration(ranges)] }, 6)?.services.routes, ['fd96::/108']);
});

const net = { kind: 'net', cidr: '10.0.0.0/8', minLength: 8, maxLength: 32 } as const;
const matches: readonly (readonly [Partial<BGPFilterRule>, FilterMatch])[] = [
  ...(['Equal', 'NotEqual', 'In', 'NotIn'] as const).map(
    (matchOperator) =>
      [
        { cidr: '10.0.0.1/8', matchOperator },
        { ...net, operator: matchOperator },
      ] as const,
  ),
  [
    { cidr: '10.0.0.0/8', matchOperator: 'In', prefixLength: { min: 16, max: 24 } },
    { ...net, operator: 'In', minLength: 16, maxLength: 24 },
  ],
  [{ source: 'RemotePeers' }, { kind: 'remote' }],
  [{ interface: 'eth*' }, { kind: 'interface', pattern: 'eth*' }],
  [{ peerType: 'eBGP' }, { kind: 'peerType', type: 'eBGP' }],
  [{ communities: { values: ['1:2:3'] } }, { kind: 'community', value: '1:2:3' }],
  [{ asPathPrefix: [65001, 65002] }, { kind: 'pathPrefix', asNumbers: [65001, 65002] }],
  [{ priority: 7 }, { kind: 'priority', value: 7 }],
];

function ruleOf(rule: Partial<BGPFilterRule>) {
  const filters = [filter({ importV4: [{ action: 'Accept', ...rule }] })];
  const model = modelOf(
    testInput({ filters, peers: [peer({ peerIP: '10.9.0.1', asNumber: 1, filters: ['filter'] })] }),
  ).model;
  return model?.filters[0]?.import[4][0];
}

for (const [rule, match] of matches) {
  test(`a filter matches by ${JSON.stringify(rule)}`, () => assert.deepEqual(ruleOf(rule)?.matches, [match]));
}

const operations: readonly (readonly [NonNullable<BGPFilterRule['operations']>[number], FilterOperation])[] =
  [
    [{ addCommunity: { value: '65000:1' } }, { kind: 'addCommunity', value: '65000:1' }],
    [{ prependASPath: { prefix: [1, 2] } }, { kind: 'prependPath', asNumbers: [1, 2] }],
    [{ setPriority: { value: 5 } }, { kind: 'setPriority', value: 5 }],
  ];

for (const [operation, expected] of operations) {
  test(`a filter does ${Object.keys(operation)[0]}`, () => {
    assert.deepEqual(ruleOf({ operations: [operation] })?.operations, [expected]);
  });
}

for (const [what, rule] of [
  ['a bad CIDR', { cidr: '10.0.0.0/33', matchOperator: 'In' }],
  ['a CIDR of the other family', { cidr: 'fd00::/8', matchOperator: 'In' }],
  ['no operator', { cidr: '10.0.0.0/8' }],
  [
    'lengths that no prefix has',
    { cidr: '10.0.0.0/8', matchOperator: 'In', prefixLength: { min: 24, max: 16 } },
  ],
  ['an interface with a quote', { interface: 'a"b' }],
  ['a community out of range', { communities: { values: ['70000:1'] } }],
  ['an AS number out of range', { asPathPrefix: [0] }],
  ['an operation out of range', { operations: [{ prependASPath: { prefix: [-1] } }] }],
] as const) {
  test(`a filter with ${what} is closed and reported`, () => {
    const broken = filter({ importV4: [{ action: 'Accept', ...(rule as Partial<BGPFilterRule>) }] });
    const input = testInput({
      filters: [broken],
      peers: [peer({ peerIP: '10.9.0.1', asNumber: 1, filters: ['filter'] })],
    });
    const { model, faults } = modelOf(input);
    assert.deepEqual(model?.filters, []);
    assert.equal(model?.peers.find(({ kind }) => kind === 'Global')?.filters, 'closed');
    assert.match(
      faults[0]?.sentence ?? '',
      /^spec\.importV4\[0\]\..*; no route passes sessions that use it$/,
    );
  });
}

test('the outcome does not depend on the order in which objects come', () => {
  const input = testInput({
    peers: [peer({ peerIP: '10.9.0.1', asNumber: 1 }, 'a'), peer({ peerIP: '10.9.0.1', asNumber: 2 }, 'b')],
    affinities: [affinity('192.168.1.64/26', 'node-1'), affinity('192.168.1.0/26', 'node-1')],
    configurations: [configuration(ranges)],
  });
  const reversed = Object.fromEntries(
    Object.entries(input).map(([key, value]) => [key, Array.isArray(value) ? value.toReversed() : value]),
  ) as unknown as BgpInput;
  const { model, faults } = modelOf(reversed);
  assert.deepEqual({ model: { ...model, families: model?.families }, faults }, modelOf(input));
});
