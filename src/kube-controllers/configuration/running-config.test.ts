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
  const { config, environmentVars, faults } = runningConfig(
    { logSeverityScreen: 'Error', controllers: { node: { reconcilerPeriod: '9m' }, loadBalancer: {} } },
    environment,
  );
  assert.equal(config.logSeverityScreen, 'Debug');
  assert.equal(config.healthChecks, 'Disabled');
  assert.equal(config.controllers.loadBalancer, undefined);
  assert.equal(config.controllers.node?.reconcilerPeriod, '1m');
  assert.equal(config.controllers.node?.hostEndpoint.autoCreate, 'Enabled');
  const { HOME: _, ...heeded } = environment;
  assert.deepEqual([environmentVars, faults], [heeded, []]);
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
