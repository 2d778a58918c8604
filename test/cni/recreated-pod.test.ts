// A pod that is deleted and made again under its name, as StatefulSets do, while the agent's watch of pods is late: it gets its
// own address, labels and policy, never its predecessor's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interfaceNameOf } from '../../src/calc/index.ts';
import { workloadEndpointOf } from '../../src/policy/index.ts';
import {
  ipamHandles,
  type KubernetesNetworkPolicy,
  kubernetesNetworkPolicies,
  pods,
} from '../../src/resources/index.ts';
import { testNamespace } from '../kernel/test-namespaces.ts';
import { DelayedWatch } from './delayed-watch.ts';
import { requestOf, ruleset, TestNode } from './test-node.ts';

const host = interfaceNameOf('shop', 'web-0');
const key = { namespace: 'shop', name: 'web-0' };

function policyFor(label: string): KubernetesNetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `for-${label}`, namespace: 'shop' },
    spec: { podSelector: { matchLabels: { version: label } }, policyTypes: ['Ingress'] },
  };
}

/** The policies that the kernel asks about packets to the pod. */
function policiesOf(node: TestNode): string[] {
  const [, chain = ''] = new RegExp(`chain cali-tw-${host} \\{([^}]*)\\}`).exec(ruleset(node)) ?? [];
  return ['old', 'new'].filter((label) => chain.includes(`for-${label}`));
}

async function nodeWithOldPod(watch: DelayedWatch): Promise<TestNode> {
  const node = await TestNode.make({ view: (store) => watch.view(store) });
  for (const label of ['old', 'new']) await node.store.create(kubernetesNetworkPolicies, policyFor(label));
  const old = await node.createPod('web-0', { labels: { version: 'old' } });
  await node.start();
  const uid = old.metadata.uid;
  await node.network.add(
    requestOf('ADD', { pod: 'web-0', uid, container: 'c1', namespace: testNamespace('old') }),
  );
  return node;
}

test('its policy is its own although the watch still shows its predecessor', async () => {
  const watch = new DelayedWatch('Pod');
  const node = await nodeWithOldPod(watch);
  assert.deepEqual(policiesOf(node), ['old']);
  watch.hold();
  await node.store.delete(pods, key);
  const { metadata } = await node.createPod('web-0', { labels: { version: 'new' } });
  const { addresses } = await node.network.add(
    requestOf('ADD', { pod: 'web-0', uid: metadata.uid, container: 'c2', namespace: testNamespace('new') }),
  );
  assert.deepEqual(policiesOf(node), ['new']);

  // The predecessor's DEL comes last, and must find nothing of its own.
  await node.network.delete(requestOf('DEL', { pod: 'web-0', container: 'c1', namespace: undefined }));
  assert.deepEqual(policiesOf(node), ['new']);
  assert.equal(node.links.owner(host), 'test-net c2 eth0 shop/web-0');
  const handles = await node.store.list(ipamHandles);
  assert.deepEqual(
    handles.map(({ spec }) => spec.handleID),
    ['test-net.c2'],
  );
  const stored = await node.store.get(pods, key);
  assert.equal(stored.metadata.annotations?.['cni.projectcalico.org/podIP'], `${addresses[0]}/32`);

  assert.ok(watch.release() > 0);
  await node.felix.attach({ ...(await endpointOf(node)), addresses, containerId: 'c2' });
  assert.deepEqual(policiesOf(node), ['new']);
});

test('it keeps its policy when the predecessor is taken down before it comes', async () => {
  const watch = new DelayedWatch('Pod');
  const node = await nodeWithOldPod(watch);
  watch.hold();
  await node.network.delete(requestOf('DEL', { pod: 'web-0', container: 'c1', namespace: undefined }));
  await node.store.delete(pods, key);
  const { metadata } = await node.createPod('web-0', { labels: { version: 'new' } });
  await node.network.add(
    requestOf('ADD', { pod: 'web-0', uid: metadata.uid, container: 'c2', namespace: testNamespace('new') }),
  );
  assert.deepEqual(policiesOf(node), ['new']);
  assert.ok(watch.release() > 0);
  await node.felix.detach({ namespace: 'shop', pod: 'web-0' }, 'c1');
  assert.deepEqual(policiesOf(node), ['new']);
});

async function endpointOf(node: TestNode) {
  const endpoint = workloadEndpointOf(await node.store.get(pods, key));
  assert.ok(endpoint);
  return endpoint;
}
