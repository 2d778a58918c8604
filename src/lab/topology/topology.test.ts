// What each node's BIRD says, put together: one link for the two ends of a session, and each destination told of once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LearnedRoute, Session } from '../../bgp/index.ts';
import { linkTable, speakerTable } from './print.ts';
import { topologySvg } from './svg.ts';
import { type Observation, topologyOf } from './topology.ts';

const since = new Date('2026-01-02T03:04:05.678Z');

function session(peer: string, more: Partial<Session> = {}): Session {
  return {
    name: `Mesh_${peer}`,
    kind: 'Mesh',
    family: 4,
    peer,
    asNumber: 64512,
    localAsNumber: 64512,
    state: 'Established',
    since,
    ...more,
  };
}

const learned = (destination: string, peer: string): LearnedRoute => ({
  family: 4,
  destination,
  type: 'FIB',
  hops: [],
  source: 'BGPPeer',
  peer,
  communities: [],
});

function node(number: number, more: Partial<Observation> = {}): Observation {
  return {
    name: `node-${number}`,
    addresses: [`10.0.0.${number}`],
    isReflector: false,
    sessions: [],
    routes: [],
    advertised: [`192.168.${number}.0/26`],
    ...more,
  };
}

const refused = { state: 'Active', reason: 'Socket: Connection refused' } as const;
const router = { kind: 'Global', asNumber: 64600 } as const;
const topology = topologyOf(
  [
    node(10, { sessions: [session('10.0.0.1', { kind: 'Node' }), session('10.0.0.2')] }),
    node(2, {
      sessions: [
        session('10.0.0.1', { kind: 'Node', ...refused }),
        session('10.9.0.9', { kind: 'Node', ...refused }),
      ],
    }),
    node(1, {
      isReflector: true,
      sessions: [
        session('10.0.0.10', { kind: 'Node' }),
        session('10.0.0.2', { kind: 'Node' }),
        session('10.9.0.1', router),
      ],
      routes: [learned('10.200.0.0/24', '10.9.0.1'), learned('192.168.2.0/26', '10.9.0.1')],
    }),
    node(3, { advertised: [], trouble: 'BIRD does not answer: it is gone' }),
  ],
  new Map([['10.9.0.1', 'tor']]),
);

test('speakers are outside routers, reflectors and nodes, each with what it is the first to tell of', () => {
  assert.deepEqual(speakerTable(topology).rows, [
    ['10.9.0.9', 'router outside', '64512', '10.9.0.9', '-'],
    ['tor', 'router outside', '64600', '10.9.0.1', '10.200.0.0/24'],
    ['node-1', 'route reflector', '64512', '10.0.0.1', '192.168.1.0/26'],
    ['node-2', 'node', '64512', '10.0.0.2', '192.168.2.0/26'],
    ['node-3', 'node', '-', '10.0.0.3', 'BIRD does not answer: it is gone'],
    ['node-10', 'node', '64512', '10.0.0.10', '192.168.10.0/26'],
  ]);
});

test('a session is one link, and is up when both ends say so', () => {
  assert.deepEqual(
    linkTable(topology).rows.map((row) => row.filter((_, column) => column !== 5)),
    [
      ['10.9.0.9', 'node-2', 'IPv4', 'iBGP', 'down', 'Active: Socket: Connection refused'],
      ['tor', 'node-1', 'IPv4', 'eBGP', 'up', ''],
      ['node-1', 'node-2', 'IPv4', 'reflection', 'down', 'Active: Socket: Connection refused'],
      ['node-1', 'node-10', 'IPv4', 'reflection', 'up', ''],
      ['node-2', 'node-10', 'IPv4', 'mesh', 'up', ''],
    ],
  );
});

test('the picture names every speaker, destination and reason, draws a line for each session, and is well-formed', () => {
  const svg = topologySvg(topology, 'a & b');
  for (const text of ['node-10', 'tor', '10.200.0.0/24', 'Connection refused', 'BGP in cluster a &amp; b']) {
    assert.ok(svg.includes(text), text);
  }
  assert.equal(svg.match(/<path /g)?.length, topology.links.length);
  assert.equal(svg.match(/<path [^>]*stroke-dasharray/g)?.length, 2);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  const open: string[] = [];
  for (const [, end, name = '', empty] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end) assert.equal(open.pop(), name);
    else if (!empty) open.push(name);
  }
  assert.deepEqual(open, []);
});

test('a cluster in which nobody peers with anybody is drawn as well', () => {
  const svg = topologySvg(topologyOf([node(1)], new Map()), 'lab');
  assert.doesNotMatch(svg, /<path |NaN|Infinity/);
});
