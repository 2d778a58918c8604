// The plugin's work in the real kernel: what ADD makes and when, what DEL takes away, and whose it leaves alone.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { interfaceNameOf } from '../../src/calc/index.ts';
import { CniError } from '../../src/cni/errors.ts';
import { cniResult } from '../../src/cni/result.ts';
import { ipamHandles, pods } from '../../src/resources/index.ts';
import { ip, ipJson, type TestNamespace, testNamespace } from '../kernel/test-namespaces.ts';
import { dualStack, inside, requestOf, ruleset, TestNode } from './test-node.ts';

const both = { ipam: { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'true' } };
const sysctl = (namespace: TestNamespace, key: string) =>
  inside(namespace, 'cat', `/proc/sys/net/${key}`).trim();

type IpObject = Record<string, unknown> & {
  addr_info?: { local: string; prefixlen: number; scope: string }[];
};

function addressesOf(namespace: TestNamespace, link: string): string[] {
  const [found] = ipJson(namespace, 'addr', 'show', 'dev', link) as IpObject[];
  return (found?.addr_info ?? [])
    .filter(({ scope }) => scope === 'global')
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

describe('ADD of a dual-stack pod', async () => {
  const node = await (await TestNode.make()).start();
  const pod = testNamespace('pod');
  const host = interfaceNameOf('shop', 'web');
  const created = await node.createPod('web', { labels: { app: 'web' } });
  const request = requestOf('ADD', {
    pod: 'web',
    uid: created.metadata.uid,
    container: 'c1',
    namespace: pod,
    configuration: { ...both, mtu: 1380 },
  });
  const { addresses, links } = await node.network.add(request);
  const [four = '', six = ''] = addresses;

  test('answers with one address of each family and both ends of the link', () => {
    assert.match(four, /^10\.20\.0\./);
    assert.match(six, /^fd20::/);
    assert.equal(links?.host.name, host);
    assert.equal(links?.pod.namespacePath, request.namespacePath);
    assert.equal(links?.mtu, 1380);
  });

  test("the pod's end has the addresses whole, the packet size and the answered MAC address", () => {
    assert.deepEqual(addressesOf(pod, 'eth0').sort(), [`${four}/32`, `${six}/128`].sort());
    const [link] = ipJson(pod, 'link', 'show', 'eth0');
    assert.deepEqual([link?.mtu, link?.address], [1380, links?.pod.mac]);
  });

  test('the pod routes everything over a next hop on the link', () => {
    const routes = ipJson(pod, 'route').map(({ dst, gateway, dev }) => ({ dst, gateway, dev }));
    assert.deepEqual(routes, [
      { dst: 'default', gateway: '169.254.1.1', dev: 'eth0' },
      { dst: '169.254.1.1', gateway: undefined, dev: 'eth0' },
    ]);
    const [viaSix] = ipJson(pod, '-6', 'route', 'show', 'default');
    assert.deepEqual([viaSix?.gateway, viaSix?.dev], ['fe80::ecee:eeff:feee:eeee', 'eth0']);
  });

  test('the pod knows its next hops, and the host the pod, without asking', () => {
    const seen = (namespace: TestNamespace, link: string) =>
      ipJson(namespace, 'neigh', 'show', 'dev', link, 'nud', 'permanent')
        .map(({ dst, lladdr }) => `${dst} ${lladdr}`)
        .sort();
    assert.deepEqual(seen(pod, 'eth0'), [
      '169.254.1.1 ee:ee:ee:ee:ee:ee',
      'fe80::ecee:eeff:feee:eeee ee:ee:ee:ee:ee:ee',
    ]);
    assert.deepEqual(
      seen(node.namespace, host),
      [`${four} ${links?.pod.mac}`, `${six} ${links?.pod.mac}`].sort(),
    );
  });

  test('the host routes each address to the link', () => {
    for (const [family, address] of [
      ['-4', four],
      ['-6', six],
    ] as const) {
      const [route] = ipJson(node.namespace, family, 'route', 'show', address);
      assert.equal(route?.dev, host, address);
    }
  });

  test('the settings of the host end are those that the pod needs', () => {
    const expected = {
      [`ipv4/conf/${host}/route_localnet`]: '1',
      [`ipv4/conf/${host}/proxy_arp`]: '1',
      [`ipv4/conf/${host}/forwarding`]: '1',
      [`ipv4/neigh/${host}/proxy_delay`]: '0',
      [`ipv6/conf/${host}/accept_dad`]: '0',
      [`ipv6/conf/${host}/disable_ipv6`]: '0',
      [`ipv6/conf/${host}/proxy_ndp`]: '1',
      [`ipv6/conf/${host}/forwarding`]: '1',
      [`ipv6/conf/${host}/accept_ra`]: '0',
    };
    for (const [key, value] of Object.entries(expected))
      assert.equal(sysctl(node.namespace, key), value, key);
  });

  test('the pod forwards nothing, and has IPv6 switched on', () => {
    const expected = {
      'ipv4/ip_forward': '0',
      'ipv6/conf/all/forwarding': '0',
      'ipv6/conf/all/disable_ipv6': '0',
      'ipv6/conf/lo/disable_ipv6': '0',
      'ipv6/conf/eth0/accept_dad': '0',
    };
    for (const [key, value] of Object.entries(expected)) assert.equal(sysctl(pod, key), value, key);
  });

  test('the link says whose it is, to anybody who asks the kernel', () => {
    const [link] = ipJson(node.namespace, 'link', 'show', host);
    assert.equal(link?.ifalias, 'test-net c1 eth0 shop/web');
    assert.equal(link?.address, 'ee:ee:ee:ee:ee:ee');
  });

  test('the pod object tells the addresses and the container', async () => {
    const { metadata } = await node.store.get(pods, { namespace: 'shop', name: 'web' });
    assert.deepEqual(metadata.annotations, {
      'cni.projectcalico.org/podIP': `${four}/32`,
      'cni.projectcalico.org/podIPs': `${four}/32,${six}/128`,
      'cni.projectcalico.org/containerID': 'c1',
    });
  });

  test('packets travel between host and pod', () => {
    ip(node.namespace, 'link', 'set', 'lo', 'up');
    ip(node.namespace, 'addr', 'add', '192.0.2.1/32', 'dev', 'lo');
    // Nobody listens in the pod: to be refused is to have been there and back.
    assert.throws(
      () => inside(node.namespace, 'bash', '-c', `exec 3<>/dev/tcp/${four}/9`),
      /Connection refused/,
    );
  });

  test('DEL takes the link, the policy, the addresses and the annotation away, and again does nothing', async () => {
    const del = requestOf('DEL', { pod: 'web', container: 'c1', namespace: pod, configuration: both });
    await node.network.delete(del);
    assert.deepEqual(
      ipJson(node.namespace, 'link').map(({ ifname }) => ifname),
      ['lo'],
    );
    assert.deepEqual(
      ipJson(pod, 'link').map(({ ifname }) => ifname),
      ['lo'],
    );
    assert.doesNotMatch(ruleset(node), new RegExp(host));
    assert.deepEqual(await node.store.list(ipamHandles), []);
    const { metadata } = await node.store.get(pods, { namespace: 'shop', name: 'web' });
    assert.equal(metadata.annotations?.['cni.projectcalico.org/podIP'], '');
    await node.network.delete(del);
  });
});

test('the policy is dispatched in the kernel before the host end comes up', async () => {
  const node = await (await TestNode.make()).start();
  const pod = testNamespace('pod');
  await node.createPod('web');
  const host = interfaceNameOf('shop', 'web');
  let seen = { dispatched: false, up: true };
  const open = node.links.open.bind(node.links);
  node.links.open = (link) => {
    const [before] = ipJson(node.namespace, 'link', 'show', host);
    const up = String(before?.flags).includes('UP');
    seen = { dispatched: ruleset(node).includes(`"${host}" : goto`), up };
    open(link);
  };
  await node.network.add(requestOf('ADD', { pod: 'web', container: 'c1', namespace: pod }));
  assert.deepEqual(seen, { dispatched: true, up: false });
  const [after] = ipJson(node.namespace, 'link', 'show', host);
  assert.ok(String(after?.flags).includes('UP'));
});

test('a network and a container may be named as CNI allows, and Kubernetes does not', async () => {
  const node = await (await TestNode.make()).start();
  const namespace = testNamespace('named');
  await node.createPod('named');
  const name = `My_Net.${'n'.repeat(150)}`;
  const call = { pod: 'named', container: `C_${'0'.repeat(64)}.`, namespace, configuration: { name } };
  const added = await node.network.add(requestOf('ADD', call));
  const [handle] = await node.store.list(ipamHandles);
  assert.equal(handle?.spec.handleID, `${name}.${call.container}`);
  const prevResult = cniResult('1.1.0', added);
  await node.network.check(requestOf('CHECK', { ...call, configuration: { name, prevResult } }));
  await node.network.delete(requestOf('DEL', { ...call, namespace: undefined }));
  assert.deepEqual(await node.store.list(ipamHandles), []);
});

test('names that do not fit on the link are refused, and nothing is left behind', async () => {
  const node = await (await TestNode.make()).start();
  await node.createPod('long');
  const call = { pod: 'long', container: 'c1', namespace: testNamespace('long') };
  const configuration = { name: 'n'.repeat(250) };
  await assert.rejects(
    node.network.add(requestOf('ADD', { ...call, configuration })),
    (error) => error instanceof CniError && error.code === 7 && /may be 255/.test(error.message),
  );
  assert.deepEqual(await node.store.list(ipamHandles), []);
});

test('a pod of IPv6 alone gets nothing of IPv4', async () => {
  const node = await (await TestNode.make()).start();
  const pod = testNamespace('pod');
  await node.createPod('six');
  const ipam = { type: 'calico-ipam', assign_ipv4: 'false', assign_ipv6: 'true' };
  const { addresses } = await node.network.add(
    requestOf('ADD', { pod: 'six', container: 'c1', namespace: pod, configuration: { ipam } }),
  );
  assert.deepEqual(addressesOf(pod, 'eth0'), [`${addresses[0]}/128`]);
  assert.deepEqual(ipJson(pod, '-4', 'route'), []);
});

test("a late DEL of an older container leaves the next container's link and address alone", async () => {
  const node = await (await TestNode.make()).start();
  const [first, second] = [testNamespace('first'), testNamespace('second')];
  await node.createPod('web');
  await node.network.add(requestOf('ADD', { pod: 'web', container: 'c1', namespace: first }));
  const { addresses } = await node.network.add(
    requestOf('ADD', { pod: 'web', container: 'c2', namespace: second }),
  );
  await node.restart();
  await node.network.delete(requestOf('DEL', { pod: 'web', container: 'c1', namespace: first }));
  assert.deepEqual(addressesOf(second, 'eth0'), [`${addresses[0]}/32`]);
  assert.match(ruleset(node), new RegExp(interfaceNameOf('shop', 'web')));
  const handles = await node.store.list(ipamHandles);
  assert.deepEqual(
    handles.map(({ spec }) => spec.handleID),
    ['test-net.c2'],
  );
});

test('a failed ADD leaves nothing behind', async () => {
  const node = await (await TestNode.make()).start();
  await node.createPod('web');
  const gone = requestOf('ADD', { pod: 'web', container: 'c1', namespace: testNamespace('pod') });
  const request = { ...gone, namespacePath: '/run/netns/there-is-no-such-namespace' };
  assert.equal(existsSync(request.namespacePath), false);
  await assert.rejects(node.network.add(request), /there-is-no-such-namespace/);
  assert.deepEqual(await node.store.list(ipamHandles), []);
  assert.deepEqual(
    ipJson(node.namespace, 'link').map(({ ifname }) => ifname),
    ['lo'],
  );
  assert.doesNotMatch(ruleset(node), new RegExp(interfaceNameOf('shop', 'web')));
});

test('an ADD that fails at its last step takes the pod down again', async () => {
  const node = await (await TestNode.make()).start();
  await node.createPod('web');
  node.links.open = () => {
    throw new Error('no');
  };
  const request = requestOf('ADD', { pod: 'web', container: 'c1', namespace: testNamespace('pod') });
  await assert.rejects(node.network.add(request), /^Error: no$/);
  assert.deepEqual(await node.store.list(ipamHandles), []);
  const { metadata } = await node.store.get(pods, { namespace: 'shop', name: 'web' });
  assert.equal(metadata.annotations?.['cni.projectcalico.org/podIPs'], '', 'its address is not its any more');
  assert.deepEqual(
    ipJson(node.namespace, 'link').map(({ ifname }) => ifname),
    ['lo'],
  );
  assert.doesNotMatch(ruleset(node), new RegExp(interfaceNameOf('shop', 'web')));
});

test("an address is only given back when the pod's object does not tell of it any more", async () => {
  const node = await (await TestNode.make()).start();
  await node.createPod('web');
  await node.network.add(requestOf('ADD', { pod: 'web', container: 'c1', namespace: testNamespace('pod') }));
  const told: unknown[] = [];
  const release = node.ipam.releaseByHandle.bind(node.ipam);
  node.ipam.releaseByHandle = async (...args) => {
    const { metadata } = await node.store.get(pods, { namespace: 'shop', name: 'web' });
    told.push(metadata.annotations?.['cni.projectcalico.org/podIPs']);
    return release(...args);
  };
  await node.network.delete(requestOf('DEL', { pod: 'web', container: 'c1', namespace: undefined }));
  assert.deepEqual(told, ['']);
});

test('a full pool is an error that names the pool, and an address that frees is given again', async () => {
  const node = await (
    await TestNode.make({ pools: { tiny: { cidr: '10.21.0.0/31', blockSize: 31 } } })
  ).start();
  const add = async (name: string) => {
    await node.createPod(name);
    return node.network.add(requestOf('ADD', { pod: name, container: name, namespace: testNamespace(name) }));
  };
  const { addresses } = await add('a');
  await add('b');
  await assert.rejects(add('c'), /no block has 1 free address(es)? in "tiny" \(10\.21\.0\.0\/31\)/);
  await node.network.delete(requestOf('DEL', { pod: 'a', container: 'a', namespace: undefined }));
  const again = requestOf('ADD', { pod: 'c', container: 'c', namespace: testNamespace('c') });
  assert.deepEqual((await node.network.add(again)).addresses, addresses);
});

test('ADD before the first sync is refused with code 11', async () => {
  const node = await TestNode.make();
  await node.createPod('web');
  const request = requestOf('ADD', { pod: 'web', container: 'c1', namespace: testNamespace('pod') });
  await assert.rejects(node.network.add(request), (error) => error instanceof CniError && error.code === 11);
});

test('two requests for one pod at once come one after another, and the later one wins', async () => {
  const node = await (await TestNode.make()).start();
  const [first, second] = [testNamespace('first'), testNamespace('second')];
  await node.createPod('web');
  const [, later] = await Promise.all([
    node.network.add(requestOf('ADD', { pod: 'web', container: 'c1', namespace: first })),
    node.network.add(requestOf('ADD', { pod: 'web', container: 'c2', namespace: second })),
    node.network.delete(requestOf('DEL', { pod: 'web', container: 'c1', namespace: first })),
  ]);
  assert.deepEqual(addressesOf(second, 'eth0'), [`${later.addresses[0]}/32`]);
  assert.deepEqual(
    ipJson(first, 'link').map(({ ifname }) => ifname),
    ['lo'],
  );
  assert.equal((await node.store.list(ipamHandles)).length, 1);
});

test('a pod of the same name with another UID is read afresh, and an unknown UID is refused', async () => {
  const node = await (await TestNode.make({ pools: dualStack })).start();
  await node.createPod('web');
  const stranger = requestOf('ADD', {
    pod: 'web',
    uid: 'another',
    container: 'c1',
    namespace: testNamespace('pod'),
  });
  await assert.rejects(node.network.add(stranger), /There is no pod "shop\/web" with UID "another"/);
});

for (const [what, second] of [
  ['in the same network', { interfaceName: 'net1' }],
  ['in another network', { interfaceName: 'net1', configuration: { name: 'second-net' } }],
] as const) {
  test(`a second interface of a pod ${what} is refused, and its DEL leaves the first alone`, async () => {
    const node = await (await TestNode.make()).start();
    await node.createPod('web');
    const call = { pod: 'web', container: 'c1', namespace: testNamespace('pod') };
    const [address] = (await node.network.add(requestOf('ADD', call))).addresses;
    await assert.rejects(
      node.network.add(requestOf('ADD', { ...call, ...second })),
      /Pod "shop\/web" is attached by "eth0" in the network "test-net" already; a pod has one interface of Calico/,
    );
    // The runtime's answer to a failed ADD, with and without a word of whose it was.
    const undo = requestOf('DEL', { ...call, ...second });
    await node.network.delete(undo);
    await node.network.delete({ ...undo, pod: undefined });
    const host = interfaceNameOf('shop', 'web');
    assert.deepEqual(addressesOf(call.namespace, 'eth0'), [`${address}/32`]);
    assert.match(ruleset(node), new RegExp(`cali-tw-${host}`));
    assert.deepEqual(
      (await node.store.list(ipamHandles)).map(({ spec }) => spec.handleID),
      ['test-net.c1'],
    );
    await node.network.add(requestOf('ADD', call));
    await node.network.delete(requestOf('DEL', call));
    assert.deepEqual(await node.store.list(ipamHandles), []);
  });
}
