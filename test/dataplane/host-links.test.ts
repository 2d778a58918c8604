// What the agent knows of a pod's link that it has just opened, by the kernel's own events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Calculator } from '../../src/calc/index.ts';
import { type DeviceRoutes, HostLinks, PodLinks } from '../../src/dataplane/index.ts';
import { type RoutingEvent, Rtnetlink, watchRouting } from '../../src/kernel/index.ts';
import { ip, testNamespace } from '../kernel/test-namespaces.ts';

const node = testNamespace('node');
const pod = testNamespace('pod');
const rtnetlink = Rtnetlink.open({ namespace: node.fd });
const [name, address] = ['cali1', '10.65.0.1'];

test('what was opened contradicts nothing, also by events of its making; what befalls it afterwards does', async () => {
  using hostLinks = watched();
  const { links, seen } = hostLinks;
  const podLinks = new PodLinks(rtnetlink, node.fd, { onOpened: (link) => links.opened(link) });
  note(links);
  const link = await podLinks.attach({
    interfaceName: name,
    podInterfaceName: 'eth0',
    podNamespacePath: `/run/netns/${pod.name}`,
    addresses: [address],
    mtu: 1500,
    owner: 'somebody',
    allowIpForwarding: false,
    defaultRoutes: true,
  });
  podLinks.open(link);
  // Not one of the events has been handled before it was opened.
  await delay(50);
  await heard(() => seen.length > 0);
  assert.ok(!seen.splice(0).some(Boolean));

  ip(node, 'link', 'set', name, 'down');
  await heard(() => seen.some(Boolean));
  assert.equal(links.repair()[0], `change link ${link.index}`);
  await delay(50);
  seen.length = 0;

  ip(node, 'neighbour', 'del', address, 'dev', name);
  await heard(() => seen.some(Boolean), 'the MAC address of the pod is known without a look');
  links.repair();
  assert.match(ip(node, 'neighbour', 'show', address), new RegExp(`lladdr ${link.podMac} PERMANENT`));

  // Its successor is there when the kernel tells that it has gone.
  const successor = { ...link, index: link.index + 1000 };
  links.opened(successor);
  const gone = rtnetlink.link(name) ?? assert.fail('the link is gone');
  assert.equal(links.contradicts({ kind: 'link', gone: true, link: gone }), false);
  assert.equal(
    links.contradicts({ kind: 'link', gone: true, link: { ...gone, index: successor.index } }),
    true,
  );
});

test('routes say of themselves what they are told to from now on, and none is left beside them', () => {
  ip(node, 'link', 'set', 'lo', 'up');
  ip(node, 'address', 'add', '10.99.0.1', 'dev', 'lo');
  const shown = () => ip(node, 'route', 'show', address).replaceAll(/\s+/g, ' ').trim();
  const say = (routes: DeviceRoutes, removeExternalRoutes = true) => {
    const links = new HostLinks(rtnetlink, node.fd, { routes, removeExternalRoutes });
    note(links);
    assert.deepEqual(links.repair(), []);
    return links;
  };
  say({ protocol: 142, metrics: { 4: 77 }, sources: { 4: '10.99.0.1' } });
  assert.equal(shown(), `${address} dev ${name} proto 142 scope link src 10.99.0.1 metric 77`);
  say({ protocol: 143, metrics: { 4: 77 }, sources: {} });
  assert.equal(shown(), `${address} dev ${name} proto 143 scope link metric 77`);
  ip(node, 'route', 'add', address, 'dev', name, 'proto', '199', 'metric', '55');
  const links = say({ protocol: 143, metrics: { 4: 78 }, sources: {} }, false);
  assert.equal(
    shown(),
    `${address} dev ${name} proto 199 scope link metric 55 ${address} dev ${name} proto 143 scope link metric 78`,
    "another's stays where it may",
  );
  assert.deepEqual(links.repair(), [], 'and is not fought with');
  say({ protocol: 3, metrics: {}, sources: {} });
  assert.equal(shown(), `${address} dev ${name} scope link`);
  const refused = new HostLinks(rtnetlink, node.fd, {
    routes: { protocol: 3, metrics: { 4: 5 }, sources: { 4: '10.99.0.2' } },
  });
  note(refused);
  assert.match(refused.repair().join(), /^could not .*route 10\.65\.0\.1\/32 on link/);
  assert.equal(shown(), `${address} dev ${name} scope link`, `the pod is not left without a route`);
});

/** @throws AssertionError when it does not become true in ten seconds */
async function heard(isTrue: () => boolean, what = 'nothing was heard of it'): Promise<void> {
  for (const start = Date.now(); !isTrue(); await delay(10)) assert.ok(Date.now() - start < 10_000, what);
}

/** With what `contradicts` says of every event. */
function watched(): { links: HostLinks; seen: boolean[] } & Disposable {
  const links = new HostLinks(rtnetlink, node.fd);
  const seen: boolean[] = [];
  const watch = watchRouting(
    { topics: ['links', 'routes', 'neighbours'], namespace: node.fd },
    (events: readonly RoutingEvent[]) => void seen.push(...events.map((event) => links.contradicts(event))),
  );
  return { links, seen, [Symbol.dispose]: () => watch.close() };
}

/** That there is to be such a link. */
function note(links: HostLinks): void {
  const { state } = new Calculator({ node: 'node' });
  const endpoint = {
    interfaceName: name,
    addresses: [address],
    ingress: [],
    egress: [],
    afterTiers: 'Allow',
  } as const;
  links.note({ ...state, endpoints: new Map([['a/b', endpoint]]) }, new Set(['a/b']));
}
