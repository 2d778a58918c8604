// What pods ask for in annotations, and what configuration keys change, seen in the kernel.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interfaceNameOf } from '../../src/calc/index.ts';
import { CniError } from '../../src/cni/errors.ts';
import { IpamPlugin } from '../../src/cni/index.ts';
import { cniResult } from '../../src/cni/result.ts';
import { ipamHandles, namespaces } from '../../src/resources/index.ts';
import { ip, ipJson, testNamespace } from '../kernel/test-namespaces.ts';
import { requestOf, ruleset, TestNode } from './test-node.ts';

const p = 'cni.projectcalico.org/';
const pools = {
  one: { cidr: '10.31.0.0/26', blockSize: 28 },
  two: { cidr: '10.32.0.0/26', blockSize: 28 },
  six: { cidr: 'fd33::/122', blockSize: 124 },
};
let count = 0;

async function add(node: TestNode, annotations: Record<string, string>, configuration: object = {}) {
  const pod = `pod-${++count}`;
  await node.createPod(pod, { annotations });
  const namespace = testNamespace(pod);
  const result = await node.network.add(requestOf('ADD', { pod, container: pod, namespace, configuration }));
  return { addresses: result.addresses, namespace, pod };
}

test('pools and families of the pod go before those of its namespace, and both before the configuration', async () => {
  const node = await TestNode.make({ pools });
  await node.store.mergePatch(
    namespaces,
    { name: 'shop' },
    { metadata: { annotations: { [`${p}ipv4pools`]: '["two"]' } } },
  );
  await node.start();
  const ipam = { type: 'calico-ipam', ipv4_pools: ['one'] };
  assert.match((await add(node, {}, { ipam })).addresses.join(), /^10\.32\./);
  const own = { [`${p}ipv4pools`]: '["10.31.0.0/26"]', [`${p}ipFamilies`]: '["IPv4","IPv6"]' };
  assert.match((await add(node, own, { ipam })).addresses.join(), /^10\.31\.[^,]*,fd33::/);
});

test('a configuration that wants no address at all is refused with code 7, unless the pod asks for some', async () => {
  const node = await (await TestNode.make({ pools })).start();
  const none = { ipam: { type: 'calico-ipam', assign_ipv4: 'false' } };
  const isRefusal = (error: unknown) =>
    error instanceof CniError &&
    error.code === 7 &&
    /"ipam\.assign_ipv4" and "ipam\.assign_ipv6" are both false/.test(error.message);
  await assert.rejects(add(node, {}, none), isRefusal);
  assert.deepEqual([...node.links.owners()], []);
  const { datastore, ipam, name } = node;
  const alone = new IpamPlugin({ node: name, datastore, ipam });
  const call = { pod: 'any', container: 'any', namespace: testNamespace('any'), configuration: none };
  await assert.rejects(alone.add(requestOf('ADD', call)), isRefusal);
  assert.deepEqual((await add(node, { [`${p}ipAddrs`]: '["10.31.0.7"]' }, none)).addresses, ['10.31.0.7']);
  assert.match((await add(node, { [`${p}ipFamilies`]: '["IPv6"]' }, none)).addresses.join(), /^fd33::/);
});

test('a pod has the very addresses and the MAC address that it asks for', async () => {
  const node = await (await TestNode.make({ pools })).start();
  const { addresses, namespace } = await add(node, {
    [`${p}ipAddrs`]: '["10.31.0.7"]',
    [`${p}hwAddr`]: '02:AB:00:00:00:01',
  });
  assert.deepEqual(addresses, ['10.31.0.7']);
  assert.equal(ipJson(namespace, 'link', 'show', 'eth0')[0]?.address, '02:ab:00:00:00:01');
  await assert.rejects(add(node, { [`${p}ipAddrs`]: '["10.31.0.7"]' }), /holds it/);
});

test('the address that the runtime itself asks for goes before what IPAM would choose', async () => {
  const node = await (await TestNode.make({ pools })).start();
  await node.createPod('asked');
  const call = { pod: 'asked', container: 'asked', namespace: testNamespace('asked') };
  const request = { ...requestOf('ADD', call), wantedAddress: '10.32.0.9' };
  assert.deepEqual((await node.network.add(request)).addresses, ['10.32.0.9']);
});

test('addresses beside IPAM are for those who are allowed to ask, and never those of another pod here', async () => {
  const node = await (await TestNode.make({ pools })).start();
  const wish = { [`${p}ipAddrsNoIpam`]: '["203.0.113.7"]' };
  await assert.rejects(add(node, wish), /"feature_control\.ip_addrs_no_ipam" does not allow/);
  const allowed = { feature_control: { ip_addrs_no_ipam: true } };
  assert.deepEqual((await add(node, wish, allowed)).addresses, ['203.0.113.7']);
  assert.deepEqual(await node.store.list(ipamHandles), []);
  await assert.rejects(add(node, wish, allowed), /has it \(test-net pod-/);
});

test('addresses beside IPAM are known to the kernel and to CHECK however the annotation writes them', async () => {
  const node = await (await TestNode.make({ pools })).start();
  const pod = 'spelled';
  await node.createPod(pod, { annotations: { [`${p}ipAddrsNoIpam`]: '["FD77:0::0007"]' } });
  const call = { pod, container: pod, namespace: testNamespace(pod) };
  const configuration = { feature_control: { ip_addrs_no_ipam: true } };
  const result = await node.network.add(requestOf('ADD', { ...call, configuration }));
  assert.deepEqual(result.addresses, ['fd77::7']);
  const prevResult = cniResult('1.1.0', result);
  await node.network.check(requestOf('CHECK', { ...call, configuration: { ...configuration, prevResult } }));
});

test('queues, forwarding and default routes are as the configuration says', async () => {
  const node = await (await TestNode.make({ pools })).start();
  const { namespace, pod } = await add(
    node,
    {},
    {
      num_queues: 3,
      include_default_routes: false,
      container_settings: { allow_ip_forwarding: true },
    },
  );
  const [link] = ipJson(node.namespace, '-d', 'link', 'show', interfaceNameOf('shop', pod));
  assert.deepEqual([link?.num_tx_queues, link?.num_rx_queues], [3, 3]);
  assert.deepEqual(
    ipJson(namespace, 'route').map(({ dst }) => dst),
    ['169.254.1.1'],
  );
  assert.match(ip(namespace, 'netconf', 'show', 'dev', 'eth0'), /forwarding on/);
});

test('floating addresses and further sources that a pod may have are in the kernel when ADD answers', async () => {
  const node = await (await TestNode.make({ pools })).start();
  const allowed = { feature_control: { floating_ips: true } };
  const wish = (address: string) => ({
    [`${p}floatingIPs`]: `["${address}"]`,
    [`${p}allowedSourcePrefixes`]: '["198.51.100.0/24"]',
  });
  await add(node, wish('192.0.2.77'), allowed);
  assert.match(ruleset(node), /192\.0\.2\.77 : jump cali-fip-dnat-/);
  assert.match(ruleset(node), /198\.51\.100\.0\/24/);
  await assert.rejects(
    add(node, wish('2001:db8::1'), allowed),
    /"2001:db8::1", and the pod has no IPv6 address/,
  );
  assert.equal((await node.store.list(ipamHandles)).length, 1);
});

for (const [name, value, message] of [
  ['ipv4pools', 'two', /must be a JSON list/],
  ['ipFamilies', '["IPX"]', /has "IPX"/],
  ['ipAddrs', '["10.31.0.1","10.31.0.2"]', /two IPv4 addresses/],
  ['ipAddrs', '[]', /ipAddrs" is an empty list/],
  ['ipAddrsNoIpam', '[]', /ipAddrsNoIpam" is an empty list/],
  ['hwAddr', '01:00:00:00:00:00', /is not the MAC address of one link/],
  ['floatingIPs', '["192.0.2.1"]', /"feature_control\.floating_ips" does not allow/],
  ['allowedSourcePrefixes', '["10.0.0.0/99"]', /is not a CIDR/],
] as const) {
  test(`a wrong ${name} is refused (${value})`, async () => {
    const node = await (await TestNode.make({ pools })).start();
    await assert.rejects(add(node, { [p + name]: value }), message);
  });
}
