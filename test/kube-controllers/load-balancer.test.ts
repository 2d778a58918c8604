import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type MemoryDatastore, SoundDatastore } from '../../src/datastore/index.ts';
import { LoadBalancerController } from '../../src/kube-controllers/index.ts';
import { createLogger } from '../../src/process/index.ts';
import {
  type IPPoolSpec,
  ipamBlocks,
  ipamHandles,
  type Service,
  services,
} from '../../src/resources/index.ts';
import { storeWith } from '../ipam/cluster.ts';
import { until } from './until.ts';

const log = createLogger('test', 'silent');
const running: { stop(): Promise<void> }[] = [];
afterEach(() => Promise.all(running.splice(0).map((controller) => controller.stop())));

const allowedUses: IPPoolSpec['allowedUses'] = ['LoadBalancer'];
const pools: Record<string, IPPoolSpec> = {
  four: { cidr: '10.9.0.0/29', blockSize: 30, allowedUses },
  other: { cidr: '10.8.0.0/30', blockSize: 30, allowedUses },
  six: { cidr: 'fd09::/125', blockSize: 126, allowedUses },
  pods: { cidr: '10.0.0.0/26', blockSize: 29 },
};

type Spec = NonNullable<Service['spec']>;

async function begin(assignIPs: 'AllServices' | 'RequestedServicesOnly' = 'AllServices') {
  const store = await storeWith(pools);
  const controller = new LoadBalancerController({ datastore: store, log, reconcilerPeriodMs: 0 }, assignIPs);
  running.push(controller);
  return store;
}

const service = (name: string, spec: Spec = {}, annotations: Record<string, string> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name, annotations },
  spec: { type: 'LoadBalancer', ipFamilies: ['IPv4'], ...spec },
});

const addresses = ({ status }: Service) => (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? '');

/** What a Service has, once `isSo`. */
async function has(store: MemoryDatastore, name: string, what: string, isSo: (service: Service) => boolean) {
  const found = await until(store, services, what, (all) =>
    all.some((one) => one.metadata.name === name && isSo(one)),
  );
  return found.find(({ metadata }) => metadata.name === name) as Service;
}

const hasAddresses = (store: MemoryDatastore, name: string, count: number) =>
  has(store, name, `${count} addresses`, (one) => addresses(one).length === count);

test('a Service of type LoadBalancer gets an address of each of its families, under the virtual owner', async () => {
  const store = await begin();
  await store.create(services, service('web', { ipFamilies: ['IPv4', 'IPv6'] }));
  const [four = '', six = ''] = addresses(await hasAddresses(store, 'web', 2));
  assert.match(four, /^10\.[89]\.0\./);
  assert.match(six, /^fd09::/);
  const blocks = await store.list(ipamBlocks);
  assert.deepEqual([...new Set(blocks.map(({ spec }) => spec.affinity))], ['virtual:load-balancer']);
  const [attribute] = blocks[0]?.spec.attributes ?? [];
  assert.deepEqual(attribute?.secondary, { service: 'web', namespace: 'shop', type: 'LoadBalancer' });
  assert.match(attribute?.handle_id ?? '', /^lb-[A-Za-z0-9]+$/);
});

test('its address goes back when it is deleted, and when it is no load balancer any more', async () => {
  const store = await begin();
  const empty = () => until(store, ipamHandles, 'no handle', (all) => all.length === 0);
  await store.create(services, service('web'));
  await hasAddresses(store, 'web', 1);
  await store.delete(services, { namespace: 'shop', name: 'web' });
  await empty();
  await store.create(services, service('web'));
  await hasAddresses(store, 'web', 1);
  await store.mergePatch(services, { namespace: 'shop', name: 'web' }, { spec: { type: 'ClusterIP' } });
  await empty();
  await hasAddresses(store, 'web', 0);
});

test('a Service that cannot be read keeps its address, which goes back when it is deleted', async () => {
  const store = await storeWith(pools);
  const datastore = new SoundDatastore(store, () => {});
  running.push(new LoadBalancerController({ datastore, log, reconcilerPeriodMs: 0 }, 'AllServices'));
  await store.create(services, service('web'));
  const held = addresses(await hasAddresses(store, 'web', 1));
  const key = { namespace: 'shop', name: 'web' };
  await store.mergePatch(services, key, { spec: { externalIPs: 'none' } });
  const handles = async () => (await store.list(ipamHandles)).map(({ spec }) => spec.handleID);
  const before = await handles();
  // Their end has the controller look for addresses of Services that are gone.
  await store.create(services, service('other'));
  await hasAddresses(store, 'other', 1);
  await store.delete(services, { namespace: 'shop', name: 'other' });
  await until(store, ipamHandles, 'one handle', (all) => all.length === 1);
  assert.deepEqual(await handles(), before);
  await store.mergePatch(services, key, { spec: { externalIPs: null } });
  await store.create(services, service('another'));
  await hasAddresses(store, 'another', 1);
  assert.deepEqual(addresses(await hasAddresses(store, 'web', 1)), held);
  await store.mergePatch(services, key, { spec: { externalIPs: 'none' } });
  await store.delete(services, key);
  await until(store, ipamHandles, 'one handle', (all) => all.length === 1);
  assert.notDeepEqual(await handles(), before);
});

test('annotations choose the pool or the very address, and may change their mind', async () => {
  const store = await begin('RequestedServicesOnly');
  const key = { namespace: 'shop', name: 'web' };
  const annotate = (annotations: Record<string, string | null>) =>
    store.mergePatch(services, key, { metadata: { annotations } });
  await store.create(services, service('web', {}, { 'projectcalico.org/ipv4pools': '["other"]' }));
  assert.match(addresses(await hasAddresses(store, 'web', 1))[0] ?? '', /^10\.8\.0\./);
  await annotate({ 'projectcalico.org/loadBalancerIPs': '["10.9.0.5"]' });
  await has(store, 'web', '10.9.0.5', (one) => addresses(one).join() === '10.9.0.5');
  await annotate({
    'projectcalico.org/loadBalancerIPs': null,
    'projectcalico.org/ipv4pools': '["10.8.0.0/30"]',
  });
  await has(
    store,
    'web',
    'an address of the other pool',
    (one) => addresses(one)[0]?.startsWith('10.8.') === true,
  );
  await until(store, ipamHandles, 'one address in use', ([handle, ...rest]) => {
    return rest.length === 0 && Object.values(handle?.spec.block ?? {}).join() === '1';
  });
});

test('Services of another class, or that do not ask where only asked-for addresses are given, are left alone', async () => {
  const store = await begin('RequestedServicesOnly');
  const theirs = { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } };
  for (const one of [service('class', { loadBalancerClass: 'example.com/lb' }), service('silent')]) {
    await store.create(services, one);
    const key = { namespace: 'shop', name: one.metadata.name };
    await store.mergePatch(services, key, { status: theirs }, { subresource: 'status' });
  }
  await store.create(services, service('ours', { loadBalancerClass: 'calico' }));
  await hasAddresses(store, 'ours', 1);
  const others = (await store.list(services)).filter(({ metadata }) => metadata.name !== 'ours');
  assert.deepEqual(others.map(addresses), [['203.0.113.7'], ['203.0.113.7']]);
});

test('what others tell of a Service is neither written again nor taken back to what it was', async () => {
  const store = await begin('RequestedServicesOnly');
  const ingress = [{ hostname: 'elb.example.com' }, { ip: '203.0.113.7', ipMode: 'VIP' }];
  const key = { namespace: 'shop', name: 'theirs' };
  await store.create(services, service('theirs'));
  const before = await store.mergePatch(
    services,
    key,
    { status: { loadBalancer: { ingress } } },
    { subresource: 'status' },
  );
  await store.create(services, service('ours', { loadBalancerClass: 'calico' }));
  await hasAddresses(store, 'ours', 1);
  assert.deepEqual(await store.get(services, key), before);
});

test('what cannot be given is said in the Service, which keeps what it had, and is given once that is possible', async () => {
  const store = await begin();
  const key = (name: string) => ({ namespace: 'shop', name });
  await store.create(services, service('first', {}, { 'projectcalico.org/loadBalancerIPs': '["10.9.0.1"]' }));
  await hasAddresses(store, 'first', 1);
  const said = (text: RegExp) => (one: Service) =>
    one.status?.conditions?.some(({ status, message }) => status === 'False' && text.test(message)) === true;
  await store.create(
    services,
    service('second', {}, { 'projectcalico.org/loadBalancerIPs': '["10.9.0.1"]' }),
  );
  await has(store, 'second', 'a taken address', said(/"lb-.*" holds it/));
  await store.mergePatch(services, key('first'), {
    metadata: { annotations: { 'projectcalico.org/loadBalancerIPs': '10.9.0.2' } },
  });
  const first = await has(store, 'first', 'a bad annotation', said(/must be a JSON list of addresses/));
  assert.deepEqual(addresses(first), ['10.9.0.1']);
  await store.delete(services, key('first'));
  await has(store, 'second', '10.9.0.1', (one) => addresses(one).join() === '10.9.0.1');
});

test('addresses of Services that went while nobody watched are released at the start', async () => {
  const store = await begin();
  await store.create(services, service('web'));
  const kept = await hasAddresses(store, 'web', 1);
  await store.create(services, service('gone'));
  await hasAddresses(store, 'gone', 1);
  await running.pop()?.stop();
  await store.delete(services, { namespace: 'shop', name: 'gone' });
  running.push(new LoadBalancerController({ datastore: store, log, reconcilerPeriodMs: 0 }, 'AllServices'));
  await until(store, ipamHandles, 'one handle', (all) => all.length === 1);
  assert.deepEqual(addresses(await hasAddresses(store, 'web', 1)), addresses(kept));
});

test('without a pool for load balancers Services are left to others', async () => {
  const store = await storeWith({ pods: { cidr: '10.0.0.0/26' } });
  const written: string[] = [];
  const looked = Promise.withResolvers<void>();
  let looks = 0;
  await store.create(services, service('web'));
  await store.create(services, service('next'));
  store.interference = {
    before: ({ verb, kind }) => {
      if (verb !== 'get' && verb !== 'list') written.push(`${verb} ${kind}`);
      // Services are looked at one after another: with the second look the first Service is done with.
      if (verb === 'get' && kind === 'IPAMHandle' && ++looks === 2) looked.resolve();
    },
  };
  running.push(new LoadBalancerController({ datastore: store, log, reconcilerPeriodMs: 0 }, 'AllServices'));
  await looked.promise;
  assert.deepEqual(written, []);
});
