// Whatever the objects say, BIRD reads the configuration that is made of them: `bird -p` parses each one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type BgpInput, configurationText, modelOf } from '../../src/bgp/index.ts';
import type { BGPFilter, BGPFilterRule, BGPPeer } from '../../src/resources/index.ts';
import { affinity, configuration, filter, peer, pool, secret, testInput, testNode } from './test-cluster.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-bgp-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What BIRD has to complain about; empty when nothing. */
function complaints(text: string): string {
  const path = join(folder, 'bird.conf');
  writeFileSync(path, text, { mode: 0o600 });
  const { status, stderr, error } = spawnSync('bird', ['-p', '-c', path], { encoding: 'utf8' });
  return status === 0 ? '' : `${error?.message ?? ''}${stderr}\n${text}`;
}

function textOf(more: Partial<BgpInput>): string {
  const { model } = modelOf(testInput(more));
  assert.ok(model);
  return configurationText(model, { logFile: join(folder, 'bird.log') });
}

const everyRule: BGPFilterRule[] = [
  { action: 'Accept', cidr: '10.0.0.0/8', matchOperator: 'Equal' },
  { action: 'Accept', cidr: '10.0.0.0/8', matchOperator: 'NotEqual', prefixLength: { min: 9 } },
  { action: 'Reject', cidr: '10.0.0.0/8', matchOperator: 'In', prefixLength: { min: 16, max: 24 } },
  { action: 'Reject', cidr: '10.0.0.0/8', matchOperator: 'NotIn' },
  { action: 'Accept', source: 'RemotePeers', peerType: 'eBGP', interface: '*.calico' },
  {
    action: 'Accept',
    communities: { values: ['65000:1'] },
    asPathPrefix: [65000, 4200000000],
    priority: 100,
  },
  {
    action: 'Accept',
    peerType: 'iBGP',
    communities: { values: ['1:2:3'] },
    priority: 1024,
    operations: [
      { addCommunity: { value: '65000:7' } },
      { addCommunity: { value: '1:2:4294967295' } },
      { prependASPath: { prefix: [65001, 65002] } },
      { setPriority: { value: 512 } },
    ],
  },
  { action: 'Accept', operations: [{ setPriority: { value: 1 } }] },
  { action: 'Reject' },
];
const sixes = everyRule.map(({ cidr, ...rule }) => (cidr ? { ...rule, cidr: 'fd00::/8' } : rule));
const everything = filter(
  { importV4: everyRule, exportV4: everyRule, importV6: sixes, exportV6: sixes },
  'every.thing-1',
);
const settings = configuration({
  asNumber: 65100,
  listenPort: 1179,
  bindMode: 'NodeIP',
  logSeverityScreen: 'Debug',
  ignoredInterfaces: ['lan*'],
  nodeMeshPassword: { secretKeyRef: { name: 'bgp', key: 'mesh' } },
  serviceClusterIPs: [{ cidr: '10.96.0.0/12' }, { cidr: 'fd96::/108' }],
  communities: [{ name: 'backup', value: '64512:20' }],
  prefixAdvertisements: [
    { cidr: '192.168.0.0/16', communities: ['backup', '1:2:3'] },
    { cidr: 'fd10::/48', communities: ['backup'] },
  ],
});
const secrets = [secret('bgp', { mesh: "open 'sesame' \\ $x {} ;# ü" })];

const cases: Readonly<Record<string, Partial<BgpInput>>> = {
  'a new cluster': {},
  'a node alone': { nodes: [testNode(1)], affinities: [], pools: [] },
  'a node with IPv6 alone': {
    nodes: [testNode(1, { annotations: { 'projectcalico.org/IPv4Address': '' } }), testNode(2)],
  },
  'every setting and every filter': {
    configurations: [settings],
    secrets,
    filters: [everything],
    pools: [
      pool('192.168.0.0/16', { vxlanMode: 'Always' }),
      pool('10.1.0.0/16', { disableBGPExport: true }),
      pool('fd10::/48'),
    ],
    affinities: [affinity('192.168.1.0/26', 'node-1'), affinity('fd10::/122', 'node-1')],
    peers: [
      peer(
        {
          peerIP: '10.9.0.1',
          asNumber: 65001,
          filters: ['every.thing-1'],
          ttlSecurity: 1,
          nextHopMode: 'Self',
        },
        'a',
      ),
      peer(
        {
          peerIP: '[fd09::1]:1790',
          asNumber: 65100,
          filters: ['every.thing-1'],
          nextHopMode: 'Keep',
          sourceAddress: 'None',
        },
        'b',
      ),
      peer(
        {
          peerIP: '10.9.0.2',
          asNumber: 65001,
          localASNumber: 65009,
          numAllowedLocalASNumbers: 3,
          keepaliveTime: '0',
        },
        'c',
      ),
      peer(
        {
          peerIP: '10.9.0.3',
          asNumber: 4200000000,
          reachableBy: '10.0.0.254',
          keepaliveTime: '20s',
          maxRestartTime: '2h',
        },
        'd',
      ),
    ],
  },
  'a free source address': { peers: [peer({ peerIP: '10.9.0.1', asNumber: 65001, sourceAddress: 'None' })] },
  'a route reflector': {
    nodes: [
      testNode(1, { annotations: { 'projectcalico.org/RouteReflectorClusterID': '244.0.0.1' } }),
      testNode(2),
    ],
    peers: [peer({ peerSelector: 'all()' })],
  },
  'a route reflector without a usable cluster id': {
    nodes: [
      testNode(1, { annotations: { 'projectcalico.org/RouteReflectorClusterID': 'main' } }),
      testNode(2),
    ],
    peers: [peer({ peerSelector: 'all()' })],
  },
  'a closed filter': { peers: [peer({ peerIP: '10.9.0.1', asNumber: 65001, filters: ['missing'] })] },
};

for (const [what, more] of Object.entries(cases)) {
  test(`BIRD reads the configuration of ${what}`, () => assert.equal(complaints(textOf(more)), ''));
}

/** Text that may stand in any field of an object that got past validation, or was written before there was any. */
const junk = fc.oneof(
  fc.string({ maxLength: 30, unit: 'grapheme' }),
  fc.constantFrom(
    '10.0.0.0/8',
    '10.0.0.1',
    'fd00::/8',
    '65000:1',
    '1:2:3',
    'eth*',
    'a"b',
    '"; reject; #',
    '\n',
    '0',
    '90s',
  ),
);
const number = fc.oneof(fc.integer({ min: -2, max: 70000 }), fc.constantFrom(4294967295, 4294967296, 1.5));
const rule = fc.record(
  {
    action: fc.constantFrom('Accept', 'Reject', 'accept'),
    cidr: junk,
    matchOperator: fc.constantFrom('Equal', 'NotEqual', 'In', 'NotIn', 'Within'),
    prefixLength: fc.record({ min: number, max: number }, { requiredKeys: [] }),
    source: fc.constant('RemotePeers'),
    interface: junk,
    peerType: fc.constantFrom('eBGP', 'iBGP'),
    communities: fc.record({ values: fc.array(junk, { maxLength: 2 }) }),
    asPathPrefix: fc.array(number, { maxLength: 3 }),
    priority: number,
    operations: fc.array(
      fc.oneof(
        fc.record({ addCommunity: fc.record({ value: junk }) }),
        fc.record({ prependASPath: fc.record({ prefix: fc.array(number, { maxLength: 3 }) }) }),
        fc.record({ setPriority: fc.record({ value: number }) }),
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['action'] },
);
const anyFilter = fc.record(
  {
    importV4: fc.array(rule, { maxLength: 2 }),
    exportV4: fc.array(rule, { maxLength: 2 }),
    exportV6: fc.array(rule, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const anyPeer = fc.record(
  {
    node: fc.constantFrom('node-1', 'node-9'),
    nodeSelector: fc.oneof(junk, fc.constant('all()')),
    peerIP: fc.oneof(junk, fc.constantFrom('10.9.0.1', '10.9.0.1:1790', 'fd09::1', '10.0.0.2')),
    peerSelector: fc.oneof(junk, fc.constant('all()')),
    asNumber: number,
    localASNumber: number,
    numAllowedLocalASNumbers: number,
    ttlSecurity: number,
    keepaliveTime: fc.oneof(junk, fc.constant('100h')),
    maxRestartTime: fc.oneof(junk, fc.constant('100h')),
    reachableBy: fc.oneof(junk, fc.constantFrom('10.0.0.254', 'fd00::fe')),
    sourceAddress: fc.constantFrom('UseNodeIP', 'None'),
    nextHopMode: fc.constantFrom('Auto', 'Self', 'Keep'),
    filters: fc.constantFrom(['f-1'], ['f-1', 'f-2'], ['missing']),
    password: fc.record({
      secretKeyRef: fc.record({ name: fc.constant('bgp'), key: fc.constantFrom('mesh', 'junk', 'none') }),
    }),
  },
  { requiredKeys: [] },
);
const anyConfiguration = fc.record(
  {
    asNumber: number,
    listenPort: number,
    bindMode: fc.constantFrom('None', 'NodeIP'),
    logSeverityScreen: junk,
    ignoredInterfaces: fc.array(junk, { maxLength: 2 }),
    ipv4NormalRoutePriority: number,
    localWorkloadPeeringIPV4: junk,
    nodeMeshMaxRestartTime: junk,
    communities: fc.array(fc.record({ name: junk, value: junk }), { maxLength: 2 }),
    prefixAdvertisements: fc.array(fc.record({ cidr: junk, communities: fc.array(junk, { maxLength: 2 }) }), {
      maxLength: 2,
    }),
    serviceClusterIPs: fc.array(fc.record({ cidr: junk }), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

test('BIRD reads the configuration of objects that hold anything at all', () => {
  const cluster = fc.record({
    filters: fc.array(anyFilter, { maxLength: 2 }),
    peers: fc.array(anyPeer, { maxLength: 3 }),
    settings: anyConfiguration,
    password: junk,
    annotation: fc.record({ as: junk, id: junk, address: junk }),
  });
  const holds = fc.property(cluster, ({ filters, peers, settings: spec, password, annotation }) => {
    const annotations = {
      'projectcalico.org/ASNumber': annotation.as,
      'projectcalico.org/RouteReflectorClusterID': annotation.id,
      'projectcalico.org/IPv6Address': annotation.address,
    };
    const text = textOf({
      nodes: [testNode(1), testNode(2, { annotations }), testNode(3)],
      filters: filters.map((one, index) => filter(one as unknown as BGPFilter['spec'], `f-${index + 1}`)),
      peers: peers.map((one, index) => peer(one as unknown as BGPPeer['spec'], `p-${index + 1}`)),
      configurations: [configuration(spec as Parameters<typeof configuration>[0])],
      secrets: [secret('bgp', { mesh: 'sesame', junk: password })],
    });
    assert.equal(complaints(text), '');
  });
  fc.assert(holds, { numRuns: 150 });
});
