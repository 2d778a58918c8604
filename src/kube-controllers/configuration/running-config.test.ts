import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runningConfig } from './running-config.ts';

test('a cluster that says nothing runs every controller with defaults', () => {
  const { config, environmentVars, faults } = runningConfig(undefined, {});
  assert.deepEqual(config, {
    logSeverityScreen: 'Info',
    healthChecks: 'Enabled',
    prometheusMetricsPort: 0,
    controllers: {
      node: {
        reconcilerPeriod: '5m',
        leakGracePeriod: '15m',
        syncLabels: 'Enabled',
        hostEndpoint: { autoCreate: 'Disabled', createDefaultHostEndpoint: 'Enabled' },
      },
      loadBalancer: { assignIPs: 'AllServices' },
    },
  });
  assert.deepEqual([environmentVars, faults], [{}, []]);
});

test('a controller that the object does not name does not run', () => {
  const { config } = runningConfig(
    { controllers: { loadBalancer: { assignIPs: 'RequestedServicesOnly' } } },
    {},
  );
  assert.deepEqual(config.controllers, { loadBalancer: { assignIPs: 'RequestedServicesOnly' } });
});

test('the environment overrules the object, and what was heeded is told', () => {
  const environment = {
    LOG_LEVEL: 'debug',
    ENABLED_CONTROLLERS: 'node, policy',
    RECONCILER_PERIOD: '1m',
    AUTO_HOST_ENDPOINTS: 'enabled',
    HEALTH_ENABLED: 'false',
    HOME: '/root',
  };
  const { config, environmentVars, faults, idle } = runningConfig(
    { logSeverityScreen: 'Error', controllers: { node: { reconcilerPeriod: '9m' }, loadBalancer: {} } },
    environment,
  );
  assert.equal(config.logSeverityScreen, 'Debug');
  assert.equal(config.healthChecks, 'Enabled');
  assert.equal(config.controllers.loadBalancer, undefined);
  assert.equal(config.controllers.node?.reconcilerPeriod, '1m');
  assert.equal(config.controllers.node?.hostEndpoint.autoCreate, 'Enabled');
  const { HOME: _home, HEALTH_ENABLED: _health, ...heeded } = environment;
  assert.deepEqual([environmentVars, faults], [heeded, []]);
  assert.deepEqual(idle, [
    'HEALTH_ENABLED is "Disabled"; readiness and liveness are served all the same, for the kubelet asks for them',
  ]);
});

test('what is not understood is named with what would be right, and counts as not said', () => {
  const { config, faults } = runningConfig(
    { controllers: { node: { leakGracePeriod: 'soon' } } },
    { LOG_LEVEL: 'loud', RECONCILER_PERIOD: '5 minutes', ENABLED_CONTROLLERS: 'node,nodes' },
  );
  assert.equal(config.controllers.node?.leakGracePeriod, '15m');
  assert.deepEqual(faults, [
    'LOG_LEVEL is "loud"; it must be one of None, Debug, Info, Warning, Error, Fatal, Panic',
    'RECONCILER_PERIOD is "5 minutes"; it must be a duration as "5m"',
    'ENABLED_CONTROLLERS names "nodes"; there are node and loadbalancer',
    'spec.controllers.node.leakGracePeriod is "soon"; it must be a duration as "5m"',
  ]);
});

test('what Calico itself puts into every cluster’s object is nothing to speak of', () => {
  const period = { reconcilerPeriod: '5m' };
  const { idle } = runningConfig(
    {
      etcdV3CompactionPeriod: '10m0s',
      healthChecks: 'Enabled',
      controllers: {
        node: { ...period, syncLabels: 'Enabled' },
        policy: period,
        namespace: period,
        migration: { policyNameMigrator: 'Disabled' },
      },
    },
    {},
  );
  assert.deepEqual(idle, []);
});

test('settings that change nothing are named, with the reason', () => {
  const { config, idle } = runningConfig(
    { controllers: { node: { syncLabels: 'Disabled' }, policy: { reconcilerPeriod: '1m' } } },
    {},
  );
  assert.equal(config.controllers.node?.syncLabels, 'Enabled');
  assert.deepEqual(idle, [
    'spec.controllers.policy.reconcilerPeriod is "1m"; with the Kubernetes API as the datastore there is nothing to copy',
    'spec.controllers.node.syncLabels is "Disabled"; a node\'s labels are those of the Kubernetes Node all the same',
  ]);
});
