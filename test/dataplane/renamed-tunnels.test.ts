// A tunnel of ours that somebody has renamed is known by what it is: where no pool wants it any more, where Calico leaves the node,
// and to whoever looks for the node's own address. What is like it and somebody else's stays.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Calculator } from '../../src/calc/index.ts';
import {
  NoTunnel,
  PodLinks,
  tunnelFamily,
  uninstallDataplane,
  VxlanOverlay,
} from '../../src/dataplane/index.ts';
import { Nftables, namespacePath, Rtnetlink } from '../../src/kernel/index.ts';
import type { Family } from '../../src/net/index.ts';
import { detectAddress } from '../../src/node/detect-address.ts';
import { ip, ipJson, type TestNamespace, testNamespace } from '../kernel/test-namespaces.ts';

const ends = {
  4: { nodeAddress: '172.30.0.11', tunnelAddress: '10.1.0.41', mac: '66:00:00:00:00:41' },
  6: { nodeAddress: 'fd00:30::11', tunnelAddress: 'fd00:1::41', mac: '66:00:00:00:00:61' },
} as const;
const names = { 4: 'vxlan.calico', 6: 'vxlan-v6.calico' } as const;

interface Node {
  readonly namespace: TestNamespace;
  readonly rtnetlink: Rtnetlink;
  readonly links: () => string[];
}

/** A node with an underlay and both tunnels, which have been renamed, and with the tunnels of others beside them. */
function makeNode(): Node {
  const namespace = testNamespace('tunnels');
  const rtnetlink = Rtnetlink.open({ namespace: namespace.fd });
  ip(namespace, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far');
  for (const family of [4, 6] as const)
    ip(
      namespace,
      'address',
      'add',
      ends[family].nodeAddress,
      'dev',
      'eth0',
      ...(family === 6 ? ['nodad'] : []),
    );
  for (const name of ['far', 'eth0']) ip(namespace, 'link', 'set', name, 'up');
  for (const family of [4, 6] as const) {
    overlay(rtnetlink, family).synchronise(new Calculator({ node: 'node-1' }).state);
    rename(namespace, names[family], `y${family}`);
  }
  addForeign(namespace, 'other-number', 4097, 4790, ends[4].mac);
  addForeign(namespace, 'other-port', 4096, 4791, ends[4].mac);
  addForeign(namespace, 'other-mac', 4096, 4792, '66:00:00:00:00:99');
  return {
    namespace,
    rtnetlink,
    links: () =>
      ipJson(namespace, 'link')
        .map(({ ifname }) => String(ifname))
        .sort(),
  };
}

function addForeign(namespace: TestNamespace, name: string, vni: number, port: number, mac: string): void {
  const kind = ['type', 'vxlan', 'id', String(vni), 'dstport', String(port)];
  ip(namespace, 'link', 'add', name, 'address', mac, ...kind, 'dev', 'eth0', 'local', ends[4].nodeAddress);
}

const ofOthers = ['eth0', 'far', 'lo', 'other-mac', 'other-number', 'other-port'];

function overlay(rtnetlink: Rtnetlink, family: Family): VxlanOverlay {
  const parent = rtnetlink.link('eth0')?.index ?? 0;
  return new VxlanOverlay(rtnetlink, { family, ...ends[family], parent, mtu: 1400, vni: 4096, port: 4789 });
}

function rename(namespace: TestNamespace, from: string, to: string): void {
  for (const change of [['down'], ['name', to]]) ip(namespace, 'link', 'set', from, ...change);
  ip(namespace, 'link', 'set', to, 'up');
}

describe('a node whose tunnels somebody has renamed', () => {
  test('gets rid of each that no pool wants any more, and of none of another family', () => {
    const { namespace, rtnetlink, links } = makeNode();
    for (const [family, left] of [
      [4, [...ofOthers, 'y6']],
      [6, ofOthers],
    ] as const) {
      const way = new NoTunnel(rtnetlink, family);
      const link = rtnetlink.link(`y${family}`);
      assert.ok(link && way.contradicts({ kind: 'link', link, gone: false }));
      assert.deepEqual(way.synchronise().lacking, []);
      assert.deepEqual(links(), left);
      assert.deepEqual(way.synchronise(), { changed: [], lacking: [] });
    }
    const foreign = rtnetlink.link('other-number');
    assert.ok(
      foreign && !new NoTunnel(rtnetlink, 4).contradicts({ kind: 'link', link: foreign, gone: false }),
    );
    // Somebody else's may have the same number and port once ours has gone.
    addForeign(namespace, 'other-owner', 4096, 4789, '66:00:00:00:00:99');
    new NoTunnel(rtnetlink, 4).synchronise();
    assert.deepEqual(links(), [...ofOthers, 'other-owner'].sort());
  });

  test('gets rid of one with the name, too, when there are both', () => {
    const { namespace, rtnetlink, links } = makeNode();
    ip(namespace, 'link', 'add', names[4], 'type', 'vxlan', 'id', '4098', 'dstport', '4799', 'dev', 'eth0');
    new NoTunnel(rtnetlink, 4).synchronise();
    assert.deepEqual(links(), [...ofOthers, 'y6']);
  });

  test('is left by Calico with neither, and with everything of others, what bears our name among it', () => {
    const { namespace, rtnetlink, links } = makeNode();
    using nftables = Nftables.open({ namespace: namespace.fd });
    ip(namespace, 'link', 'add', names[4], 'type', 'bridge');
    assert.deepEqual(uninstallDataplane(nftables, rtnetlink).sort(), ['link "y4"', 'link "y6"']);
    assert.deepEqual(links(), [...ofOthers, names[4]]);
    ip(namespace, 'link', 'del', names[4]);
    overlay(rtnetlink, 4).synchronise(new Calculator({ node: 'node-1' }).state);
    assert.deepEqual(uninstallDataplane(nftables, rtnetlink), [`link "${names[4]}"`]);
  });

  test('is not known by the address of its tunnel', async () => {
    const { namespace, rtnetlink } = makeNode();
    ip(namespace, 'address', 'flush', 'dev', 'eth0');
    const found = detectAddress(rtnetlink, {
      namespace: namespace.fd,
      family: 4,
      wanted: 'autodetect',
      method: 'first-found',
      internalIp: undefined,
    });
    await assert.rejects(
      found,
      /looked for one by the method "first-found", and there is 10\.1\.0\.41 on "y4"/,
    );
  });

  test('takes an old tunnel that is another by now for its own, although it has another number', () => {
    const { rtnetlink, links } = makeNode();
    const parent = rtnetlink.link('eth0')?.index ?? 0;
    new VxlanOverlay(rtnetlink, {
      family: 4,
      ...ends[4],
      parent,
      mtu: 1400,
      vni: 99,
      port: 4789,
    }).synchronise(new Calculator({ node: 'node-1' }).state);
    assert.equal(rtnetlink.link(names[4])?.vxlan?.vni, 99);
    assert.deepEqual(links(), [...ofOthers, names[4], 'y6']);
  });

  test('notes on a tunnel of an earlier version whose it is', () => {
    const { namespace, rtnetlink } = makeNode();
    const ways = overlay(rtnetlink, 4);
    ways.synchronise(new Calculator({ node: 'node-1' }).state);
    ip(namespace, 'link', 'set', names[4], 'alias', '');
    const bare = rtnetlink.link(names[4]);
    assert.ok(bare && ways.contradicts({ kind: 'link', link: bare, gone: false }));
    ways.synchronise(new Calculator({ node: 'node-1' }).state);
    const link = rtnetlink.link(names[4]);
    assert.ok(link?.index === bare.index && link.alias !== undefined);
    assert.equal(tunnelFamily({ ...link, name: 'y4' }), 4);
  });
});

test("a route through the tunnel to a pod's address gives way to the pod's link", async () => {
  const { namespace, rtnetlink } = makeNode();
  overlay(rtnetlink, 4).synchronise(new Calculator({ node: 'node-1' }).state);
  const [pod, address] = [testNamespace('pod'), '10.1.0.77'];
  ip(namespace, 'route', 'add', `${address}/32`, 'dev', names[4]);
  const podLinks = new PodLinks(rtnetlink, namespace.fd);
  const link = await podLinks.attach({
    interfaceName: 'cali1',
    podInterfaceName: 'eth0',
    podNamespacePath: namespacePath(pod.name),
    addresses: [address],
    mtu: 1400,
    owner: 'net c1 eth0 shop/web',
    allowIpForwarding: false,
    defaultRoutes: true,
  });
  podLinks.open(link);
  assert.deepEqual(
    ipJson(namespace, 'route', 'show', address).map(({ dev }) => dev),
    ['cali1'],
  );
});
