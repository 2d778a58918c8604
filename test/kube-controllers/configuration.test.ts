// What the program says of itself in the KubeControllersConfiguration's status: all that runs, and nothing else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, test } from 'node:test';
import { MemoryDatastore } from '../../src/datastore/index.ts';
import { KubeControllers } from '../../src/kube-controllers/index.ts';
import type { Logger } from '../../src/process/index.ts';
import {
  kubeControllersConfigurations as configurations,
  type KubeControllersConfiguration,
} from '../../src/resources/index.ts';
import { until } from './until.ts';

const key = { name: 'default' };
const running: KubeControllers[] = [];
const stopAll = () => Promise.all(running.splice(0).map((program) => program.stop()));
afterEach(stopAll);

/** Starts the program; returns what it warns of, as it comes. */
function begin(store: MemoryDatastore, environment: Readonly<Record<string, string>> = {}): string[] {
  const warnings: string[] = [];
  const warn = (...words: unknown[]) => void warnings.push(String(words.at(-1)));
  const log = { level: 'info', info: () => {}, warn, error: warn } as unknown as Logger;
  const options = {
    kubeconfig: undefined,
    namespace: 'calico-system',
    identity: 'here',
    health: { host: '127.0.0.1', port: 0 },
  };
  running.push(new KubeControllers(options, environment, store, log));
  return warnings;
}

type Running = NonNullable<NonNullable<KubeControllersConfiguration['status']>['runningConfig']>;

/** Resolves with the status as soon as it is as wanted. */
async function said(store: MemoryDatastore, what: string, isSo: (config: Running) => boolean) {
  const [object] = await until(store, configurations, what, ([one]) =>
    Boolean(one?.status?.runningConfig && isSo(one.status.runningConfig)),
  );
  assert.ok(object?.status);
  return object.status;
}

const withGrace = (grace: string) => (config: Running) => config.controllers?.node?.leakGracePeriod === grace;

test('what does not run any more goes from the status', async () => {
  const store = new MemoryDatastore();
  begin(store);
  const templates = [{ generateName: 'a' }];
  await said(store, 'the first status', () => true);
  await store.mergePatch(configurations, key, {
    spec: { controllers: { node: { leakGracePeriod: '3m', hostEndpoint: { templates } } } },
  });
  const first = await said(store, 'a grace of 3m', withGrace('3m'));
  assert.deepEqual(first.runningConfig?.controllers?.node?.hostEndpoint?.templates, templates);
  assert.deepEqual(first.runningConfig?.controllers?.loadBalancer, { assignIPs: 'AllServices' });

  await store.mergePatch(configurations, key, {
    spec: {
      controllers: { loadBalancer: null, node: { leakGracePeriod: '4m', hostEndpoint: { templates: null } } },
    },
  });
  const second = await said(store, 'a grace of 4m', withGrace('4m'));
  assert.deepEqual(second.runningConfig?.controllers, {
    node: {
      reconcilerPeriod: '5m',
      leakGracePeriod: '4m',
      syncLabels: 'Enabled',
      hostEndpoint: { autoCreate: 'Disabled', createDefaultHostEndpoint: 'Enabled' },
    },
  });
});

test('the environment of a former start goes from the status', async () => {
  const store = new MemoryDatastore();
  begin(store, { RECONCILER_PERIOD: '7m' });
  const withPeriod = (period: string) => (config: Running) =>
    config.controllers?.node?.reconcilerPeriod === period;
  const former = await said(store, 'a period of 7m', withPeriod('7m'));
  assert.deepEqual(former.environmentVars, { RECONCILER_PERIOD: '7m' });
  await stopAll();
  begin(store);
  assert.deepEqual((await said(store, 'a period of 5m', withPeriod('5m'))).environmentVars, {});
});

test('a status that somebody clears or writes over is written again', async () => {
  const store = new MemoryDatastore();
  begin(store);
  const right = await said(store, 'the first status', () => true);
  await store.mergePatch(configurations, key, { status: null }, { subresource: 'status' });
  assert.deepEqual(await said(store, 'the status again', () => true), right);
  const wrong = { runningConfig: { controllers: { policy: {} } }, environmentVars: { A: 'b' } };
  await store.mergePatch(configurations, key, { status: wrong }, { subresource: 'status' });
  const mended = await said(store, 'the status as it was', ({ controllers }) => !controllers?.policy);
  assert.deepEqual(mended, right);
});

test('an object that is deleted is made again, and one that somebody makes again is told what runs', async () => {
  const store = new MemoryDatastore();
  begin(store);
  const right = await said(store, 'the first status', () => true);
  const { metadata, spec, ...first } = await store.get(configurations, key);
  const isAnother = (uid: string | undefined) => (all: readonly KubeControllersConfiguration[]) =>
    all[0]?.status?.runningConfig !== undefined && all[0].metadata.uid !== uid;
  await store.delete(configurations, key);
  const [second] = await until(store, configurations, 'another object', isAnother(metadata.uid));
  assert.deepEqual([second?.spec, second?.status], [spec, right]);

  await store.delete(configurations, key);
  await store.create(configurations, {
    ...first,
    metadata: key,
    spec: { controllers: spec.controllers ?? {} },
  });
  const [third] = await until(store, configurations, 'the status', isAnother(second?.metadata.uid));
  assert.deepEqual([third?.spec.logSeverityScreen, third?.status], [undefined, right]);
});

test('a port of metrics that is taken is not said to be served, and keeps nothing from running', async () => {
  await using taken = createServer();
  await once(taken.listen(0), 'listening');
  const { port } = taken.address() as AddressInfo;
  const store = new MemoryDatastore();
  const warnings = begin(store);
  await said(store, 'the first status', () => true);
  await store.mergePatch(configurations, key, {
    spec: { prometheusMetricsPort: port, controllers: { node: { leakGracePeriod: '3m' } } },
  });
  const { runningConfig } = await said(store, 'a grace of 3m', withGrace('3m'));
  assert.equal(runningConfig?.prometheusMetricsPort, 0);
  assert.deepEqual(warnings, [`Cannot serve metrics on port ${port}; they are served nowhere`]);
});

test('what is accepted and does nothing is not said to run, and is warned of once', async () => {
  const store = new MemoryDatastore();
  const warnings = begin(store);
  await said(store, 'the first status', () => true);
  assert.equal(warnings.length, 0);
  await store.mergePatch(configurations, key, {
    spec: {
      debugProfilePort: 9097,
      etcdV3CompactionPeriod: '3m',
      healthChecks: 'Disabled',
      controllers: { node: { leakGracePeriod: '3m' }, migration: { policyNameMigrator: 'Enabled' } },
    },
  });
  await said(store, 'a grace of 3m', withGrace('3m'));
  await store.mergePatch(configurations, key, {
    spec: { controllers: { node: { leakGracePeriod: '4m' } } },
  });
  const { runningConfig } = await said(store, 'a grace of 4m', withGrace('4m'));
  assert.deepEqual(
    { ...runningConfig, controllers: Object.keys(runningConfig?.controllers ?? {}) },
    {
      logSeverityScreen: 'Info',
      healthChecks: 'Enabled',
      prometheusMetricsPort: 0,
      controllers: ['node', 'loadBalancer'],
    },
  );
  assert.deepEqual(
    warnings.map((warning) => warning.split(';')[0]),
    [
      'spec.healthChecks is "Disabled"',
      'spec.debugProfilePort is "9097"',
      'spec.etcdV3CompactionPeriod is "3m"',
      'spec.controllers.migration.policyNameMigrator is "Enabled"',
    ],
  );
});
