import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addAddress,
  addNeighbour,
  addProxyNeighbour,
  addRoute,
  addVeth,
  addVxlan,
  deleteAddress,
  deleteForwardingEntry,
  deleteNeighbour,
  deleteProxyNeighbour,
  deleteRoute,
  type NewRoute,
  type Route,
  Rtnetlink,
  replaceForwardingEntry,
  replaceNeighbour,
  replaceRoute,
  setLink,
} from '../../src/kernel/index.ts';
import { ip, ipJson, type TestNamespace, testNamespace } from './test-namespaces.ts';

/** A fresh namespace with loopback up and a link "eth0" that is up and can carry. */
function connected(label: string): { namespace: TestNamespace; routing: Rtnetlink; eth0: number } {
  const namespace = testNamespace(label);
  const routing = Rtnetlink.open({ namespace: namespace.fd });
  routing.apply(addVeth({ name: 'eth0', up: true, peer: { name: 'eth1' } }));
  routing.apply(setLink('eth1', { up: true }));
  routing.apply(setLink('lo', { up: true }));
  const eth0 = routing.link('eth0')?.index;
  assert.ok(eth0);
  return { namespace, routing, eth0 };
}

const families = [
  {
    family: 4,
    own: '10.1.0.1',
    length: 32,
    block: '10.2.0.0/24',
    other: '10.3.0.0/16',
    via: '169.254.1.1',
    any: '0.0.0.0/0',
    flag: '-4',
  },
  {
    family: 6,
    own: 'fd00::1',
    length: 128,
    block: 'fd00:2::/64',
    other: 'fd00:3::/48',
    via: 'fe80::1',
    any: '::/0',
    flag: '-6',
  },
] as const;

for (const { family, own, length, block, other, via, any, flag } of families) {
  test(`IPv${family} addresses made here are seen by ip, and the other way round`, () => {
    const { namespace, routing, eth0 } = connected(`addresses${family}`);
    routing.apply(addAddress({ link: eth0, address: own, prefixLength: length, noDad: true }));
    const listed = ipJson(namespace, 'addr', 'show', 'dev', 'eth0')[0]?.addr_info as Record<
      string,
      unknown
    >[];
    assert.ok(listed.some((address) => address.local === own && address.prefixlen === length));
    assert.equal(routing.ensure(addAddress({ link: eth0, address: own, prefixLength: length })), false);
    const second = own.replace(/1$/, '9');
    ip(namespace, 'addr', 'add', `${second}/${length - 8}`, 'dev', 'eth0');
    const addresses = routing.addresses().filter(({ link }) => link === eth0);
    const mine = addresses.find(({ address }) => address === own);
    assert.deepEqual(mine, {
      link: eth0,
      address: own,
      prefixLength: length,
      scope: 0,
      noDad: family === 6,
      tentative: false,
    });
    assert.equal(addresses.find(({ address }) => address === second)?.prefixLength, length - 8);
    routing.apply(deleteAddress({ link: eth0, address: own, prefixLength: length }));
    assert.equal(routing.ensure(deleteAddress({ link: eth0, address: own, prefixLength: length })), false);
    assert.ok(!routing.addresses().some(({ address }) => address === own));
  });

  test(`IPv${family} routes made here are listed as they were made, and seen by ip`, () => {
    const { namespace, routing, eth0 } = connected(`routes${family}`);
    routing.apply(addAddress({ link: eth0, address: own, prefixLength: length, noDad: true }));
    const metric = 512;
    const made: NewRoute[] = [
      { destination: `${via}/${length}`, link: eth0, protocol: 80, metric },
      { destination: any, via, link: eth0, onlink: true, protocol: 80, metric },
      { destination: block, type: 'blackhole', protocol: 80, metric },
      { destination: other, via, link: eth0, onlink: true, protocol: 80, source: own, mtu: 1400, metric },
      { destination: block, link: eth0, table: 1234, protocol: 4, metric },
    ];
    assert.deepEqual(routing.applyAll(made.map(addRoute)), []);
    const listed = routing.routes();
    for (const route of made) {
      const found = listed.find((r) => r.destination === route.destination && r.protocol === route.protocol);
      const usual: Partial<Route> = { type: 'unicast', table: 254 };
      const { onlink = false, ...expected } = { ...usual, ...route };
      assert.ok(found, route.destination);
      // IPv6 does not keep the flag where the next hop is on the link anyway; and a blackhole has the loopback link there.
      const { scope: _, link, onlink: __, ...rest } = found;
      const { link: expectedLink, ...expectedRest } = expected;
      assert.deepEqual(rest, expectedRest);
      if (expectedLink !== undefined) assert.equal(link, expectedLink);
      if (family === 4) assert.equal(found.onlink, onlink);
    }
    const [blackhole] = ipJson(namespace, flag, 'route', 'show', 'type', 'blackhole', 'table', 'main');
    assert.equal(blackhole?.dst, block);
    const [elsewhere] = ipJson(namespace, flag, 'route', 'show', 'table', '1234');
    assert.equal(elsewhere?.dev, 'eth0');
    const [byDefault] = ipJson(namespace, flag, 'route', 'show', 'default');
    assert.equal(byDefault?.gateway, via);
    const [full] = ipJson(namespace, flag, 'route', 'show', other);
    assert.equal(full?.prefsrc, own);
    assert.deepEqual(full?.metrics, [{ mtu: 1400 }]);
  });

  test(`an IPv${family} route is replaced in place, refused twice, and deleted once`, () => {
    const { routing, eth0 } = connected(`replace${family}`);
    const route = { destination: block, link: eth0, protocol: 80, metric: 100 };
    routing.apply(addRoute(route));
    assert.throws(() => routing.apply(addRoute(route)), {
      code: 'EEXIST',
      message: `Cannot add the route ${block} on link ${eth0}: EEXIST`,
    });
    routing.apply(replaceRoute({ ...route, mtu: 1300 }));
    const found = routing.routes().filter(({ destination }) => destination === block);
    assert.deepEqual(
      found.map(({ mtu }) => mtu),
      [1300],
    );
    assert.equal(routing.ensure(deleteRoute(route)), true);
    assert.equal(routing.ensure(deleteRoute(route)), false);
  });

  test(`IPv${family} routes that ip made are read`, () => {
    const { namespace, routing, eth0 } = connected(`read${family}`);
    ip(
      namespace,
      flag,
      'route',
      'add',
      block,
      'dev',
      'eth0',
      'proto',
      '17',
      'metric',
      '33',
      'mtu',
      '1280',
      'table',
      '99',
    );
    ip(namespace, flag, 'route', 'add', 'unreachable', other, 'proto', '80', 'metric', '7');
    const routes = routing.routes();
    assert.deepEqual(
      routes.find(({ protocol }) => protocol === 17),
      {
        destination: block,
        type: 'unicast',
        table: 99,
        protocol: 17,
        scope: family === 4 ? 253 : 0,
        onlink: false,
        link: eth0,
        metric: 33,
        mtu: 1280,
      },
    );
    assert.equal(routes.find(({ protocol }) => protocol === 80)?.type, 'unreachable');
  });

  test(`IPv${family} neighbours are made permanent, replaced, proxied and deleted`, () => {
    const { namespace, routing, eth0 } = connected(`neighbours${family}`);
    const neighbour = { link: eth0, address: own, mac: '02:00:00:00:00:01' };
    routing.apply(addNeighbour(neighbour));
    routing.apply(replaceNeighbour({ ...neighbour, mac: 'ee:ee:ee:ee:ee:ee' }));
    const [seen] = ipJson(namespace, flag, 'neigh', 'show', 'dev', 'eth0');
    assert.equal(seen?.dst, own);
    assert.equal(seen?.lladdr, 'ee:ee:ee:ee:ee:ee');
    assert.deepEqual(seen?.state, ['PERMANENT']);
    ip(namespace, 'neigh', 'add', via, 'lladdr', '02:00:00:00:00:07', 'dev', 'eth0', 'nud', 'reachable');
    const learnt = routing.neighbours().find(({ address }) => address === via);
    assert.deepEqual(learnt, {
      link: eth0,
      address: via,
      mac: '02:00:00:00:00:07',
      permanent: false,
      proxy: false,
    });
    assert.equal(routing.ensure(deleteNeighbour(neighbour)), true);
    assert.equal(routing.ensure(deleteNeighbour(neighbour)), false);

    routing.apply(addProxyNeighbour({ link: eth0, address: own }));
    assert.equal(ipJson(namespace, flag, 'neigh', 'show', 'proxy')[0]?.dst, own);
    assert.deepEqual(
      routing.proxyNeighbours().map(({ address, proxy }) => [address, proxy]),
      [[own, true]],
    );
    assert.equal(routing.ensure(deleteProxyNeighbour({ link: eth0, address: own })), true);
    assert.equal(routing.ensure(deleteProxyNeighbour({ link: eth0, address: own })), false);
  });

  test(`forwarding entries of a VXLAN device point to IPv${family} tunnel ends`, () => {
    const { routing, eth0 } = connected(`fdb${family}`);
    routing.apply(
      addVxlan({ name: 'vx', vni: 9, port: 4789, local: own, parent: eth0, learning: false, up: true }),
    );
    const link = routing.link('vx')?.index;
    assert.ok(link);
    const entry = { link, mac: '66:00:00:00:00:01', destination: own.replace(/1$/, '2') };
    routing.apply(replaceForwardingEntry(entry));
    routing.apply(replaceForwardingEntry({ ...entry, destination: own.replace(/1$/, '3') }));
    const entries = routing.forwardingEntries().filter((e) => e.link === link && e.mac === entry.mac);
    assert.deepEqual(entries, [{ ...entry, destination: own.replace(/1$/, '3'), permanent: true }]);
    const deletion = deleteForwardingEntry({ link, mac: entry.mac });
    assert.equal(routing.ensure(deletion), true);
    assert.equal(routing.ensure(deletion), false);
  });
}

test('what the kernel objects to in a route is said', () => {
  const { routing, eth0 } = connected('refused');
  assert.throws(
    () => routing.apply(addRoute({ destination: '10.0.0.0/8', via: '192.0.2.1', link: eth0, protocol: 80 })),
    {
      code: 'ENETUNREACH',
      message: `Cannot add the route 10.0.0.0/8 via 192.0.2.1 on link ${eth0}: ENETUNREACH (Nexthop has invalid gateway)`,
    },
  );
  assert.throws(() => routing.apply(addRoute({ destination: '10.0.0.1/8', link: eth0, protocol: 80 })), {
    code: 'EINVAL',
  });
  assert.throws(
    () => routing.apply(addRoute({ destination: '10.0.0.0', protocol: 80 })),
    /its length is missing/,
  );
});
