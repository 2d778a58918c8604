import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addAddress,
  addBridge,
  addNeighbour,
  addRoute,
  addVeth,
  deleteLink,
  deleteRoute,
  type RoutingEvent,
  type RoutingTopic,
  Rtnetlink,
  setLink,
  watchRouting,
} from '../../src/kernel/index.ts';
import { ip, testNamespace } from './test-namespaces.ts';

const deadlineMs = 60_000;

/** Watches a namespace; `until` resolves with the first event, past or to come, that fits. */
function collector(namespace: number, topics: readonly RoutingTopic[]) {
  const seen: RoutingEvent[] = [];
  let notify = (): void => {};
  const watch = watchRouting({ namespace, topics }, (events) => {
    seen.push(...events);
    notify();
  });
  const until = async (fits: (event: RoutingEvent) => boolean): Promise<RoutingEvent> => {
    const timeout = AbortSignal.timeout(deadlineMs);
    for (;;) {
      const found = seen.find(fits);
      if (found) return found;
      await new Promise<void>((resolve, reject) => {
        notify = resolve;
        timeout.onabort = () => reject(new Error(`Saw only ${JSON.stringify(seen)} within ${deadlineMs} ms`));
      });
    }
  };
  return { seen, until, watch };
}

test('links, addresses, routes and neighbours are told as they come, whoever makes them', {
  timeout: deadlineMs,
}, async () => {
  const namespace = testNamespace('events');
  using routing = Rtnetlink.open({ namespace: namespace.fd });
  const { until, watch } = collector(namespace.fd, ['links', 'addresses', 'routes', 'neighbours']);
  using _ = watch;
  ip(namespace, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1');
  const made = await until((event) => event.kind === 'link' && event.link.name === 'eth0');
  assert.ok(made.kind === 'link' && !made.gone);
  const { index: link } = made.link;
  routing.apply(setLink('eth0', { up: true }));
  routing.apply(setLink('eth1', { up: true }));
  await until((event) => event.kind === 'link' && event.link.index === link && event.link.carrier);
  routing.apply(addAddress({ link, address: '10.0.0.1', prefixLength: 32 }));
  routing.apply(addAddress({ link, address: 'fd00::1', prefixLength: 128, noDad: true }));
  routing.apply(addNeighbour({ link, address: '10.0.0.2', mac: '02:00:00:00:00:02' }));
  for (const destination of ['10.5.0.0/16', 'fd05::/64']) {
    routing.apply(addRoute({ destination, link, protocol: 80 }));
    routing.apply(deleteRoute({ destination, link, protocol: 80 }));
    await until((event) => event.kind === 'route' && !event.gone && event.route.destination === destination);
    await until((event) => event.kind === 'route' && event.gone && event.route.destination === destination);
  }
  await until((event) => event.kind === 'address' && event.address.address === '10.0.0.1');
  await until((event) => event.kind === 'address' && event.address.address === 'fd00::1');
  await until((event) => event.kind === 'neighbour' && event.neighbour.mac === '02:00:00:00:00:02');
  routing.apply(deleteLink('eth0'));
  await until((event) => event.kind === 'link' && event.gone && event.link.name === 'eth0');
});

test('a handler may use netlink itself without disturbing the events that follow', {
  timeout: deadlineMs,
}, async () => {
  const namespace = testNamespace('reentrant');
  using routing = Rtnetlink.open({ namespace: namespace.fd });
  const names: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  using _ = watchRouting({ namespace: namespace.fd, topics: ['links'] }, (events) => {
    for (const event of events) {
      routing.links();
      if (event.kind === 'link' && !event.gone) names.push(event.link.name);
    }
    if (names.includes('last')) resolve();
  });
  const changes = Array.from({ length: 20 }, (_, i) => addVeth({ name: `v${i}`, peer: { name: `p${i}` } }));
  assert.deepEqual(routing.applyAll([...changes, addVeth({ name: 'last', peer: { name: 'lastp' } })]), []);
  await promise;
  for (let i = 0; i < 20; i++) assert.ok(names.includes(`v${i}`));
});

test('a watch that was closed tells nothing more', { timeout: deadlineMs }, async () => {
  const namespace = testNamespace('closed');
  using routing = Rtnetlink.open({ namespace: namespace.fd });
  const first = collector(namespace.fd, ['links']);
  using second = collector(namespace.fd, ['links']).watch;
  first.watch.close();
  first.watch.close();
  const third = collector(namespace.fd, ['links']);
  routing.apply(addVeth({ name: 'eth0', peer: { name: 'eth1' } }));
  await third.until((event) => event.kind === 'link');
  third.watch.close();
  second.close();
  assert.deepEqual(first.seen, []);
});

test('when events were lost the handler is told to read afresh, and later events come again', {
  timeout: deadlineMs,
}, async () => {
  const namespace = testNamespace('overrun');
  using routing = Rtnetlink.open({ namespace: namespace.fd });
  const seen: RoutingEvent['kind'][] = [];
  const resync = Promise.withResolvers<void>();
  const later = Promise.withResolvers<void>();
  const options = { namespace: namespace.fd, topics: ['links'] as const, receiveBufferBytes: 16 * 1024 };
  using _ = watchRouting(options, (events) => {
    for (const event of events) {
      seen.push(event.kind);
      if (event.kind === 'resync') resync.resolve();
      if (event.kind === 'link' && event.link.name === 'later') later.resolve();
    }
  });
  // More than the socket holds, in one turn of the event loop, so that nothing is read meanwhile.
  routing.applyAll(Array.from({ length: 40 }, (_, i) => addBridge({ name: `b${i}` })));
  await resync.promise;
  assert.ok(seen.length < 40);
  routing.apply(addBridge({ name: 'later' }));
  await later.promise;
});
