// What every datastore must do, whatever stands behind it. Run over each implementation by the tests beside this file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AlreadyExistsError,
  ConflictError,
  type Datastore,
  InvalidResourceError,
  NotFoundError,
} from '../../src/datastore/index.ts';
import {
  type IPPool,
  ipPools,
  type KubernetesNetworkPolicy,
  kubernetesNetworkPolicies,
  namespaces,
  type Pod,
  pods,
  serviceAccounts,
} from '../../src/resources/index.ts';
import { Recorder } from './recorder.ts';

let serial = 0;

export function runDatastoreCases(name: string, storeOf: () => Datastore): void {
  const pool = (cidr = '10.0.0.0/16'): IPPool => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name: `pool-${++serial}` },
    spec: { cidr },
  });
  const makeNamespace = async (): Promise<string> => {
    const namespace = `ns-${++serial}`;
    await storeOf().create(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
    // As a controller does in a whole cluster, and some servers by themselves: without it a real API server takes no pod.
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } };
    await storeOf()
      .create(serviceAccounts, account)
      .catch((error) => assert.ok(error instanceof AlreadyExistsError, error));
    return namespace;
  };
  const pod = (namespace: string, podName: string, labels: Record<string, string> = {}): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName, namespace, labels },
    spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'i' }] },
  });
  const it = (behaviour: string, body: () => Promise<void>) => test(`${name}: ${behaviour}`, body);

  it('what is created can be read, with uid, revision, generation and defaults', async () => {
    const created = await storeOf().create(ipPools, pool());
    assert.ok(created.metadata.uid && created.metadata.resourceVersion && created.metadata.creationTimestamp);
    assert.equal(created.metadata.generation, 1);
    assert.equal(created.spec.nodeSelector, 'all()');
    assert.deepEqual(await storeOf().get(ipPools, created.metadata), created);
  });

  it('a name is taken only once', async () => {
    const one = pool();
    await storeOf().create(ipPools, one);
    await assert.rejects(storeOf().create(ipPools, one), AlreadyExistsError);
  });

  it('what does not exist is not found', async () => {
    const missing = { name: 'missing' };
    await assert.rejects(storeOf().get(ipPools, missing), NotFoundError);
    await assert.rejects(storeOf().delete(ipPools, missing), NotFoundError);
    await assert.rejects(storeOf().mergePatch(ipPools, missing, { spec: {} }), NotFoundError);
  });

  it('an object that its schema forbids is refused', async () => {
    const wrong = pool();
    wrong.spec.vxlanMode = 'Sometimes' as 'Always';
    await assert.rejects(storeOf().create(ipPools, wrong), InvalidResourceError);
  });

  it('an update from an old revision is a conflict, and one without a revision is refused', async () => {
    const first = await storeOf().create(ipPools, pool());
    const second = await storeOf().update(ipPools, { ...first, spec: { ...first.spec, disabled: true } });
    assert.notEqual(second.metadata.resourceVersion, first.metadata.resourceVersion);
    assert.equal(second.metadata.generation, 2);
    await assert.rejects(storeOf().update(ipPools, first), ConflictError);
    const { resourceVersion: _revision, ...metadata } = second.metadata;
    await assert.rejects(storeOf().update(ipPools, { ...second, metadata }), InvalidResourceError);
  });

  it('a write that changes nothing leaves the revision as it was', async () => {
    const created = await storeOf().create(ipPools, pool());
    const again = await storeOf().update(ipPools, created);
    assert.equal(again.metadata.resourceVersion, created.metadata.resourceVersion);
  });

  it('labels change without a new generation', async () => {
    const created = await storeOf().create(ipPools, pool());
    const labelled = await storeOf().update(ipPools, {
      ...created,
      metadata: { ...created.metadata, labels: { a: 'b' } },
    });
    assert.equal(labelled.metadata.generation, 1);
    assert.notEqual(labelled.metadata.resourceVersion, created.metadata.resourceVersion);
  });

  it('status and the rest are written apart', async () => {
    const status = {
      conditions: [
        {
          type: 'Allocatable',
          status: 'True' as const,
          reason: 'OK',
          message: '',
          lastTransitionTime: '2026-01-31T12:00:00Z',
        },
      ],
    };
    const created = await storeOf().create(ipPools, { ...pool(), status });
    assert.equal(created.status, undefined);
    const judged = await storeOf().updateStatus(ipPools, {
      ...created,
      spec: { ...created.spec, disabled: true },
      status,
    });
    assert.deepEqual(judged.status, status);
    assert.equal(judged.spec.disabled, undefined);
    assert.equal(judged.metadata.generation, 1);
    const disabled = await storeOf().update(ipPools, {
      ...judged,
      spec: { ...judged.spec, disabled: true },
      status: {},
    });
    assert.deepEqual(disabled.status, status);
    assert.equal(disabled.spec.disabled, true);
  });

  it('a merge patch adds, replaces and removes, and compares a revision that it names', async () => {
    const created = await storeOf().create(ipPools, {
      ...pool(),
      spec: { cidr: '10.0.0.0/16', disabled: true },
    });
    const patched = await storeOf().mergePatch(ipPools, created.metadata, {
      metadata: { labels: { a: 'b' } },
      spec: { disabled: null, natOutgoing: true },
    });
    assert.equal(patched.spec.disabled, undefined);
    assert.equal(patched.spec.natOutgoing, true);
    assert.deepEqual(patched.metadata.labels, { a: 'b' });
    const { resourceVersion } = created.metadata;
    await assert.rejects(
      storeOf().mergePatch(ipPools, created.metadata, {
        metadata: { resourceVersion },
        spec: { disabled: true },
      }),
      ConflictError,
    );
  });

  it('a merge patch of the status leaves the rest alone', async () => {
    const namespace = await makeNamespace();
    const created = await storeOf().create(pods, pod(namespace, 'p'));
    const patched = await storeOf().mergePatch(
      pods,
      created.metadata,
      { status: { phase: 'Running', podIP: '10.0.0.1' } },
      { subresource: 'status' },
    );
    assert.equal(patched.status?.podIP, '10.0.0.1');
    assert.deepEqual(patched.spec, created.spec);
  });

  it('a deletion may demand a revision or an identity', async () => {
    const created = await storeOf().create(ipPools, pool());
    const { resourceVersion = '' } = created.metadata;
    const changed = await storeOf().update(ipPools, {
      ...created,
      spec: { ...created.spec, disabled: true },
    });
    await assert.rejects(storeOf().delete(ipPools, created.metadata, { resourceVersion }), ConflictError);
    await assert.rejects(storeOf().delete(ipPools, created.metadata, { uid: 'another' }), ConflictError);
    await storeOf().delete(ipPools, created.metadata, {
      resourceVersion: changed.metadata.resourceVersion ?? '',
      uid: created.metadata.uid ?? '',
    });
    await assert.rejects(storeOf().get(ipPools, created.metadata), NotFoundError);
  });

  it('a finalizer holds an object until it is taken off', async () => {
    const held = pool();
    held.metadata.finalizers = ['example.org/hold'];
    const created = await storeOf().create(ipPools, held);
    await storeOf().delete(ipPools, created.metadata);
    const dying = await storeOf().get(ipPools, created.metadata);
    assert.ok(dying.metadata.deletionTimestamp);
    await storeOf().mergePatch(ipPools, created.metadata, { metadata: { finalizers: null } });
    await assert.rejects(storeOf().get(ipPools, created.metadata), NotFoundError);
  });

  it('lists are cut by namespace, labels and fields', async () => {
    const [one, two] = [await makeNamespace(), await makeNamespace()];
    await storeOf().create(pods, pod(one, 'a', { app: 'web', tier: 'front' }));
    await storeOf().create(pods, pod(one, 'b', { app: 'db' }));
    await storeOf().create(pods, pod(two, 'c', { app: 'web' }));
    const names = async (options: object) =>
      (await storeOf().list(pods, options)).map(({ metadata }) => metadata.name).sort();
    assert.deepEqual(await names({ namespace: one }), ['a', 'b']);
    assert.deepEqual(await names({ namespace: one, labelSelector: 'app=web' }), ['a']);
    assert.deepEqual(await names({ namespace: one, labelSelector: 'app!=web' }), ['b']);
    assert.deepEqual(await names({ namespace: one, labelSelector: 'app in (web,db),!tier' }), ['b']);
    assert.deepEqual(await names({ namespace: two, labelSelector: 'app notin (db)' }), ['c']);
    assert.deepEqual(await names({ namespace: one, fieldSelector: 'metadata.name=b' }), ['b']);
    assert.deepEqual(await names({ namespace: one, fieldSelector: 'spec.nodeName=node-2' }), []);
  });

  it('a follower hears of what exists, then that it is in sync, then of every change in order', async () => {
    const namespace = await makeNamespace();
    // Not a pod: an API server lets pods linger until a kubelet has seen them off.
    const policy = (policyName: string): KubernetesNetworkPolicy => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: policyName, namespace },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    });
    const created = await storeOf().create(kubernetesNetworkPolicies, policy('a'));
    const recorder = new Recorder<KubernetesNetworkPolicy>();
    const follower = storeOf().follow(kubernetesNetworkPolicies, recorder, { namespace });
    await recorder.until((events) => events.includes('in sync'));
    await storeOf().mergePatch(kubernetesNetworkPolicies, created.metadata, {
      metadata: { labels: { x: '1' } },
    });
    await storeOf().create(kubernetesNetworkPolicies, policy('b'));
    await storeOf().delete(kubernetesNetworkPolicies, created.metadata);
    await recorder.until((events) => events.includes('- a'));
    follower.stop();
    assert.deepEqual(recorder.events, ['+ a', 'in sync', '+ a', '+ b', '- a']);
  });

  it('a follower of nothing is in sync at once', async () => {
    const recorder = new Recorder<Pod>();
    const follower = storeOf().follow(pods, recorder, { namespace: 'empty' });
    await recorder.until((events) => events.length === 1);
    follower.stop();
    assert.deepEqual(recorder.events, ['in sync']);
  });

  it('an object that no longer matches a follower is reported as deleted', async () => {
    const namespace = await makeNamespace();
    const recorder = new Recorder<Pod>();
    const follower = storeOf().follow(pods, recorder, { namespace, labelSelector: 'app=web' });
    const created = await storeOf().create(pods, pod(namespace, 'a', { app: 'web' }));
    await recorder.until((events) => events.includes('+ a') && events.includes('in sync'));
    await storeOf().mergePatch(pods, created.metadata, { metadata: { labels: { app: 'db' } } });
    await recorder.until((events) => events.includes('- a'));
    follower.stop();
    assert.equal(recorder.events.at(-1), '- a');
  });

  it('a follower that stopped hears nothing more', async () => {
    const namespace = await makeNamespace();
    const [stopped, going] = [new Recorder<Pod>(), new Recorder<Pod>()];
    const first = storeOf().follow(pods, stopped, { namespace });
    const second = storeOf().follow(pods, going, { namespace });
    await stopped.until((events) => events.includes('in sync'));
    first.stop();
    await storeOf().create(pods, pod(namespace, 'late'));
    await going.until((events) => events.includes('+ late'));
    second.stop();
    assert.deepEqual(stopped.events, ['in sync']);
  });
}
