// What the agent knows of a pod's link that it has just opened, by the kernel's own events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Calculator } from '../../src/calc/index.ts';
import { HostLinks, PodLinks } from '../../src/dataplane/index.ts';
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
  assert.ok(seen.length > 0);
  assert.ok(!seen.splice(0).some(Boolean));

  ip(node, 'link', 'set', name, 'down');
  await delay(50);
  assert.ok(seen.splice(0).some(Boolean));
  assert.equal(links.repair()[0], `change link ${link.index}`);
  await delay(50);
  seen.length = 0;

  ip(node, 'neighbour', 'del', address, 'dev', name);
  await delay(50);
  assert.ok(seen.splice(0).some(Boolean), 'the MAC address of the pod is known without a look');
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
