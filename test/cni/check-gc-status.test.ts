// CHECK, GC and STATUS against the real kernel, each thing broken by other hands.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { interfaceNameOf } from '../../src/calc/index.ts';
import { CniError } from '../../src/cni/errors.ts';
import { IpamPlugin } from '../../src/cni/index.ts';
import type { JsonObject } from '../../src/cni/json-fields.ts';
import type { Plugin } from '../../src/cni/plugin.ts';
import { readRequest } from '../../src/cni/request.ts';
import { cniResult } from '../../src/cni/result.ts';
import { UnavailableError } from '../../src/datastore/index.ts';
import { clusterInformations, ipamHandles, kubernetesNetworkPolicies } from '../../src/resources/index.ts';
import { ip, ipJson, testNamespace } from '../kernel/test-namespaces.ts';
import { baseConfiguration, requestOf, TestNode } from './test-node.ts';

const isCode = (code: number, message: RegExp) => (error: unknown) =>
  error instanceof CniError && error.code === code && message.test(error.message);

describe('CHECK', () => {
  const host = interfaceNameOf('shop', 'web');
  async function attached() {
    const node = await (await TestNode.make()).start();
    const namespace = testNamespace('pod');
    await node.createPod('web');
    const call = { pod: 'web', container: 'c1', namespace };
    const result = await node.network.add(requestOf('ADD', call));
    const prevResult = cniResult('1.1.0', result);
    const request = requestOf('CHECK', { ...call, configuration: { prevResult } });
    return { node, namespace, request, result, address: result.addresses[0] ?? '' };
  }

  test('is content with what ADD made', async () => {
    const { node, request } = await attached();
    await node.network.check(request);
  });

  test("looks for its own interface's addresses, and not for those of a plugin before it", async () => {
    const node = await (await TestNode.make()).start();
    await node.createPod('web');
    const other = { name: 'net1', mac: '02:00:00:00:00:01', sandbox: '/run/netns/x' };
    const ips = [{ address: '192.0.2.9/32', interface: 0 }, { address: '192.0.2.10/32' }];
    const earlier = { cniVersion: '1.1.0', interfaces: [other], ips, routes: [], dns: {} };
    const call = { pod: 'web', container: 'c1', namespace: testNamespace('pod') };
    const add = requestOf('ADD', { ...call, configuration: { prevResult: earlier } });
    const prevResult = cniResult('1.1.0', await node.network.add(add), earlier);
    await node.network.check(requestOf('CHECK', { ...call, configuration: { prevResult } }));
  });

  for (const [what, spoil, message] of [
    [
      'an address',
      ({ namespace, address }) => ip(namespace, 'addr', 'del', `${address}/32`, 'dev', 'eth0'),
      /does not have/,
    ],
    [
      'the default route',
      ({ namespace }) => ip(namespace, 'route', 'del', 'default'),
      /has no route 0\.0\.0\.0\/0/,
    ],
    [
      'the next hop',
      ({ namespace }) => ip(namespace, 'neigh', 'flush', 'dev', 'eth0', 'nud', 'permanent'),
      /does not know who has 169/,
    ],
    [
      "the next hop's route",
      ({ namespace }) => ip(namespace, 'route', 'del', '169.254.1.1'),
      /has no route 169\.254\.1\.1\/32/,
    ],
    [
      "the host's MTU",
      ({ node }) => ip(node.namespace, 'link', 'set', host, 'mtu', '1300'),
      /The MTU of "cali.*" is 1300, not 1400/,
    ],
    [
      "the pod's MTU",
      ({ namespace }) => ip(namespace, 'link', 'set', 'eth0', 'mtu', '1300'),
      /The MTU of "eth0" is 1300, not 1400/,
    ],
    [
      "the host's route",
      ({ node, address }) => ip(node.namespace, 'route', 'del', address),
      /does not route/,
    ],
    ["the host's end being up", ({ node }) => ip(node.namespace, 'link', 'set', host, 'down'), /is down/],
    [
      'the note on the link',
      ({ node }) => ip(node.namespace, 'link', 'set', host, 'alias', 'x y z'),
      /is "x y z", not/,
    ],
    ['the whole link', ({ namespace }) => ip(namespace, 'link', 'del', 'eth0'), /The host has no link/],
    [
      'the address in IPAM',
      ({ node }) =>
        node.ipam.releaseByHandle('test-net.c1').then(() =>
          node.ipam.autoAssign({
            node: node.name,
            count: { 4: 1 },
            use: 'Workload',
            handleId: 'test-net.c1',
            attributes: {},
          }),
        ),
      /does not hold 10\.20\.0\.\d+ any more/,
    ],
    // Our table is ours alone in kernels that know owners: other hands cannot take the policy away.
    [
      'the policy',
      ({ node }) => node.felix.detach({ namespace: 'shop', pod: 'web' }, 'c1'),
      /holds no policy for "cali/,
    ],
  ] as [string, (on: Awaited<ReturnType<typeof attached>>) => unknown, RegExp][]) {
    test(`misses ${what}`, async () => {
      const on = await attached();
      await spoil(on);
      await assert.rejects(on.node.network.check(on.request), isCode(100, message));
    });
  }

  test('knows the MTU that ADD gave the pod, whatever the configuration says by now', async () => {
    const { node, request } = await attached();
    const { configuration } = request;
    await node.network.check({ ...request, configuration: { ...configuration, mtu: 1200 } });
  });

  test('compares the MTU of both ends where the result is too old to say it', async () => {
    const { node, namespace, request, result } = await attached();
    const { configuration } = request;
    const previousResult = cniResult('1.0.0', result) as JsonObject;
    const old = { ...request, configuration: { ...configuration, previousResult } };
    await node.network.check(old);
    ip(namespace, 'link', 'set', 'eth0', 'mtu', '1300');
    await assert.rejects(
      node.network.check(old),
      isCode(100, /The MTU of "cali.*" is 1400, and that of "eth0" in the pod 1300/),
    );
    ip(node.namespace, 'link', 'set', host, 'mtu', '1300');
    await node.network.check(old);
  });

  test('is not content with a result that names no address', async () => {
    const { node, request } = await attached();
    const { configuration } = request;
    const bare = { ...request, configuration: { ...configuration, previousResult: { ips: [] } } };
    await assert.rejects(
      node.network.check(bare),
      isCode(100, /"prevResult" has no address of "eth0" to look for/),
    );
  });

  test('does not know a container that was taken down, code 3', async () => {
    const { node, namespace, request } = await attached();
    await node.network.delete(requestOf('DEL', { pod: 'web', container: 'c1', namespace }));
    await assert.rejects(node.network.check(request), isCode(3, /has no link and no address/));
  });
});

describe('GC', async () => {
  const node = await (await TestNode.make()).start();
  const garbage = (valid: object[], name = baseConfiguration.name) => {
    const request = readRequest({
      environment: { CNI_COMMAND: 'GC', CNI_PATH: '/usr/lib/cni' },
      stdin: JSON.stringify({ ...baseConfiguration, name, 'cni.dev/valid-attachments': valid }),
    });
    assert.ok(request.command === 'GC' && request.valid);
    return { ...request, valid: request.valid };
  };

  /** What the store answers to whoever collects comes when the ADD is done: the pod has an address, and is on no list. */
  async function collectDuring(plugin: Plugin, add: () => Promise<unknown>): Promise<void> {
    const isAdded = Promise.withResolvers<void>();
    const { list } = node.store;
    node.store.list = (async (...what: Parameters<typeof list>) => {
      await isAdded.promise;
      return list.apply(node.store, what);
    }) as typeof list;
    const collecting = plugin.collectGarbage(garbage([{ containerID: 'of-b', ifname: 'eth0' }]));
    node.store.list = list;
    await add();
    isAdded.resolve();
    await collecting;
  }

  test('takes down what is not on the list, links and addresses, and nothing else', async () => {
    for (const name of ['a', 'b', 'c']) {
      await node.createPod(name);
      await node.network.add(
        requestOf('ADD', { pod: name, container: `of-${name}`, namespace: testNamespace(name) }),
      );
    }
    // An address without a link, as a crash leaves it, here and on another node.
    for (const [container, owner] of [
      ['lost', node.name],
      ['elsewhere', 'another-node'],
    ] as const) {
      await node.ipam.autoAssign({
        node: owner,
        count: { 4: 1 },
        use: 'Workload',
        handleId: `test-net.${container}`,
        attributes: { node: owner },
      });
    }
    await node.network.collectGarbage(garbage([{ containerID: 'of-b', ifname: 'eth0' }]));
    assert.deepEqual(
      ipJson(node.namespace, 'link').map(({ ifname }) => ifname),
      ['lo', interfaceNameOf('shop', 'b')],
    );
    const handles = (await node.store.list(ipamHandles)).map(({ spec }) => spec.handleID);
    assert.deepEqual(handles.sort(), ['test-net.elsewhere', 'test-net.of-b']);
  });

  test('spares who is set up meanwhile, also when that is done before it is looked at', async () => {
    await node.createPod('late');
    const request = requestOf('ADD', { pod: 'late', container: 'of-late', namespace: testNamespace('late') });
    await collectDuring(node.network, () => node.network.add(request));
    assert.equal((await node.ipam.addressesByHandle('test-net.of-late')).length, 1);
    assert.ok(node.links.owner(interfaceNameOf('shop', 'late')));
    await node.network.delete({ ...request, command: 'DEL' });
  });

  test('of the IPAM plugin alone spares them too', async () => {
    const { datastore, ipam, name } = node;
    const plugin = new IpamPlugin({ node: name, datastore, ipam });
    const add = (container: string) =>
      plugin.add(requestOf('ADD', { pod: 'd', container, namespace: testNamespace(container) }));
    await add('stale');
    await collectDuring(plugin, () => add('newcomer'));
    assert.equal((await ipam.addressesByHandle('test-net.newcomer')).length, 1);
    assert.deepEqual(await ipam.addressesByHandle('test-net.stale'), []);
    await ipam.releaseByHandle('test-net.newcomer');
  });

  test('tells a container with a dot in its name from a network with one', async () => {
    const { datastore, ipam, name } = node;
    const plugin = new IpamPlugin({ node: name, datastore, ipam });
    for (const [network, container] of [
      ['test-net', 'dotted.id'],
      ['test-net.other', 'id'],
    ] as const) {
      const configuration = { name: network };
      const call = { pod: 'd', container, namespace: testNamespace(container), configuration };
      await plugin.add(requestOf('ADD', call));
    }
    await plugin.collectGarbage(garbage([{ containerID: 'of-b', ifname: 'eth0' }]));
    assert.deepEqual(await ipam.addressesByHandle('test-net.dotted.id'), []);
    assert.equal((await ipam.addressesByHandle('test-net.other.id')).length, 1);
    await ipam.releaseByHandle('test-net.other.id');
  });

  test('takes down what it can when something fails, and names all that failed', async () => {
    await node.network.collectGarbage(garbage([]));
    for (const name of ['e', 'f']) {
      await node.createPod(name);
      const call = { pod: name, container: `of-${name}`, namespace: testNamespace(name) };
      await node.network.add(requestOf('ADD', call));
    }
    const { detach } = node.links;
    const { list } = node.store;
    const stuck = interfaceNameOf('shop', 'e');
    node.links.detach = async (name) => {
      if (name === stuck) throw new Error('the link is stuck');
      return detach.call(node.links, name);
    };
    node.store.list = async () => {
      throw new Error('the store is away');
    };
    try {
      await assert.rejects(
        node.network.collectGarbage(garbage([])),
        isCode(100, /looking for addresses: the store is away; container "of-e": the link is stuck$/),
      );
    } finally {
      Object.assign(node.links, { detach });
      Object.assign(node.store, { list });
    }
    const links = ipJson(node.namespace, 'link').map(({ ifname }) => ifname);
    assert.deepEqual(links, ['lo', stuck]);
    assert.deepEqual(await node.ipam.addressesByHandle('test-net.of-f'), []);
    await node.network.collectGarbage(garbage([]));
    assert.deepEqual([...node.links.owners()], []);
  });

  test('is to be asked again later, code 11, when the datastore was away and nothing else was wrong', async () => {
    const { list } = node.store;
    node.store.list = async () => {
      throw new UnavailableError('the store is away');
    };
    try {
      await assert.rejects(
        node.network.collectGarbage(garbage([])),
        isCode(11, /looking for addresses: the store is away$/),
      );
    } finally {
      Object.assign(node.store, { list });
    }
  });

  test('of the IPAM plugin alone releases what it can, and names all that failed', async () => {
    const { datastore, ipam, name } = node;
    const plugin = new IpamPlugin({ node: name, datastore, ipam });
    for (const container of ['one', 'two', 'three']) {
      await plugin.add(requestOf('ADD', { pod: 'g', container, namespace: testNamespace(container) }));
    }
    const { releaseByHandle } = ipam;
    ipam.releaseByHandle = async (handle) => {
      if (handle !== 'test-net.two') throw new Error(`${handle} is stuck`);
      return releaseByHandle.call(ipam, handle);
    };
    try {
      await assert.rejects(
        plugin.collectGarbage(garbage([])),
        isCode(100, /container "one": test-net\.one is stuck; container "three": test-net\.three is stuck$/),
      );
    } finally {
      Object.assign(ipam, { releaseByHandle });
    }
    assert.deepEqual(await ipam.addressesByHandle('test-net.two'), []);
    await plugin.collectGarbage(garbage([]));
    assert.deepEqual(await ipam.addressesByHandle('test-net.one'), []);
  });

  test("leaves another network's attachments alone", async () => {
    await node.createPod('d');
    await node.network.add(requestOf('ADD', { pod: 'd', container: 'of-d', namespace: testNamespace('d') }));
    await node.network.collectGarbage(garbage([], 'another-net'));
    const links = ipJson(node.namespace, 'link').map(({ ifname }) => ifname);
    assert.ok(links.includes(interfaceNameOf('shop', 'd')), `only ${links.join(', ')} are left`);
  });
});

describe('STATUS', () => {
  const status = () => {
    const request = readRequest({
      environment: { CNI_COMMAND: 'STATUS' },
      stdin: JSON.stringify(baseConfiguration),
    });
    assert.ok(request.command === 'STATUS');
    return request;
  };

  test('is 50 before the first sync and nothing after it', async () => {
    const node = await TestNode.make();
    await assert.rejects(node.network.status(status()), isCode(50, /has not read all policies/));
    await node.start();
    await node.network.status(status());
  });

  test('is 50 while the datastore is said to be not ready, and ADD waits with code 11', async () => {
    const node = await (await TestNode.make()).start();
    await node.createPod('web');
    await node.store.create(clusterInformations, {
      apiVersion: 'projectcalico.org/v3',
      kind: 'ClusterInformation',
      metadata: { name: 'default' },
      spec: { datastoreReady: false },
    });
    await assert.rejects(node.network.status(status()), isCode(50, /datastoreReady is false/));
    const add = requestOf('ADD', { pod: 'web', container: 'c1', namespace: testNamespace('pod') });
    await assert.rejects(node.network.add(add), isCode(11, /datastoreReady is false/));
  });

  test('is 51 while the policies cannot be brought into the kernel', async () => {
    const node = await (await TestNode.make()).start();
    const add = async (pod: string) => {
      await node.createPod(pod);
      return node.network.add(requestOf('ADD', { pod, container: pod, namespace: testNamespace(pod) }));
    };
    await add('web');
    node.nftables.commit = () => {
      throw new Error('the kernel says no');
    };
    await node.store.create(kubernetesNetworkPolicies, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'deny', namespace: 'shop' },
      spec: { podSelector: {} },
    });
    await assert.rejects(add('late'), /the kernel says no/);
    await assert.rejects(node.network.status(status()), isCode(51, /cannot bring the present policies/));
  });
});
