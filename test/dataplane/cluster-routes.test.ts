// Routes to other nodes' pods where there is no tunnel, in the real kernel.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Calculator, type EndpointProgram } from '../../src/calc/index.ts';
import { ClusterRoutes, HostLinks, VxlanOverlay } from '../../src/dataplane/index.ts';
import {
  addAddress,
  closeNamespace,
  createNamespace,
  deleteNamespace,
  deleteRoute,
  namespacePath,
  openNamespace,
  Rtnetlink,
  setLink,
} from '../../src/kernel/index.ts';

const name = `ct-${process.pid}-routes`;
let rtnetlink: Rtnetlink;
let namespace: number;
const calculator = new Calculator({ node: 'node-1' });
const show = (family: 4 | 6) =>
  execFileSync('ip', ['-n', name, `-${family}`, 'route', 'show', 'proto', '80'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.replace(/ (metric|onlink).*/, '').trim())
    .filter(Boolean)
    .sort();

before(() => {
  createNamespace(name);
  namespace = openNamespace(namespacePath(name));
  rtnetlink = Rtnetlink.open({ namespace });
  execFileSync('ip', ['-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other']);
  for (const link of ['eth0', 'other', 'lo'])
    rtnetlink.apply(setLink(rtnetlink.link(link)?.index ?? 0, { up: true }));
  const link = rtnetlink.link('eth0')?.index ?? 0;
  rtnetlink.apply(addAddress({ link, address: '172.30.0.11', prefixLength: 24 }));
  rtnetlink.apply(addAddress({ link, address: 'fd30::11', prefixLength: 64, noDad: true }));
});
after(() => {
  rtnetlink?.close();
  if (namespace !== undefined) closeNamespace(namespace);
  deleteNamespace(name);
});

test('are made, mended and taken out again; others’ routes stay', () => {
  const parent = rtnetlink.link('eth0')?.index ?? assert.fail('there is no link');
  const [v4, v6] = ([4, 6] as const).map((family) => new ClusterRoutes(rtnetlink, { family, parent }));
  assert.ok(v4 && v6);
  const state = {
    ...calculator.state,
    routes: new Map([
      ['10.1.1.0/26', { kind: 'blackhole' } as const],
      ['10.1.2.0/26', { kind: 'direct', node: 'node-2', nodeAddress: '172.30.0.12' } as const],
      ['fd00:2::/122', { kind: 'direct', node: 'node-2', nodeAddress: 'fd30::12' } as const],
      // Without a tunnel there is no way.
      ['10.1.3.0/26', { kind: 'vxlan', node: 'node-3' } as const],
    ]),
  };
  execFileSync('ip', ['-n', name, 'route', 'add', '10.9.0.0/24', 'via', '172.30.0.1']);
  for (const routes of [v4, v6]) routes.synchronise(state);
  const made = ['10.1.2.0/26 via 172.30.0.12 dev eth0', 'blackhole 10.1.1.0/26'];
  assert.deepEqual([show(4), show(6)], [made, ['fd00:2::/122 via fd30::12 dev eth0']]);
  const nothing = { changed: [], lacking: [] };
  assert.deepEqual([v4.synchronise(state), v6.synchronise(state)], [nothing, nothing]);

  const route = rtnetlink.routes().find(({ destination }) => destination === '10.1.2.0/26');
  assert.ok(route);
  rtnetlink.apply(deleteRoute(route));
  assert.ok(v4.contradicts({ kind: 'route', route, gone: true }));
  assert.equal(v6.contradicts({ kind: 'route', route, gone: true }), false);
  v4.synchronise(state);
  assert.deepEqual(show(4), made);

  for (const routes of [v4, v6]) routes.synchronise({ ...state, routes: new Map() });
  assert.deepEqual([show(4), show(6)], [[], []]);
  assert.ok(rtnetlink.routes().some(({ destination }) => destination === '10.9.0.0/24'));
});

test('are nobody’s business where routes are to be left alone; tunnels and links are', () => {
  const parent = rtnetlink.link('eth0')?.index ?? assert.fail('there is no link');
  const overlay = new VxlanOverlay(rtnetlink, {
    family: 4,
    nodeAddress: '172.30.0.11',
    tunnelAddress: '10.1.1.0',
    mac: '66:00:00:00:00:01',
    parent,
    mtu: 1400,
    vni: 4096,
    port: 4789,
    keepsRoutes: false,
  });
  const state = { ...calculator.state, routes: new Map([['10.1.1.0/26', { kind: 'blackhole' } as const]]) };
  overlay.synchronise(state);
  assert.ok(rtnetlink.link('vxlan.calico')?.up);
  assert.deepEqual(show(4), []);

  const endpoint: EndpointProgram = {
    interfaceName: 'other',
    addresses: ['10.1.1.9'],
    ingress: [],
    egress: [],
    afterTiers: 'Allow',
  };
  const links = (keepsRoutes: boolean) => {
    const made = new HostLinks(rtnetlink, namespace, { keepsRoutes });
    made.note({ ...state, endpoints: new Map([['a/b', endpoint]]) }, new Set(['a/b']));
    made.repair();
    return rtnetlink.routes().filter(({ destination }) => destination === '10.1.1.9/32').length;
  };
  assert.deepEqual([links(false), links(true)], [0, 1]);
});
