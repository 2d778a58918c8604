import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { installPlugins, writeNetworkConfiguration } from './install-cni.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-install-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const shim = join(folder, 'shim');
writeFileSync(shim, 'the plugin');
let count = 0;

function environment(more: Record<string, string> = {}) {
  const root = join(folder, String(++count));
  return { CNI_BIN_DIR: join(root, 'bin'), CNI_NET_DIR: join(root, 'net.d'), ...more };
}

test('plugin and configuration are put in place under their names, with nothing half done beside them', () => {
  const variables = environment();
  installPlugins(variables, () => shim);
  const configuration = writeNetworkConfiguration(variables, 'node-1');
  assert.deepEqual(readdirSync(variables.CNI_BIN_DIR).sort(), ['calico', 'calico-ipam']);
  assert.deepEqual(readdirSync(variables.CNI_NET_DIR), ['10-calico.conflist']);
  assert.equal(statSync(join(variables.CNI_BIN_DIR, 'calico')).mode & 0o777, 0o755);
  assert.equal(statSync(configuration).mode & 0o777, 0o600);
  const { name, plugins } = JSON.parse(readFileSync(configuration, 'utf8'));
  assert.equal(name, 'k8s-pod-network');
  assert.deepEqual(
    plugins.map(({ type }: { type: string }) => type),
    ['calico', 'portmap', 'bandwidth'],
  );
});

test("upstream's template is filled in", () => {
  const template = '{"name":"n","plugins":[{"nodename":"__KUBERNETES_NODE_NAME__","mtu":__CNI_MTU__}]}';
  const variables = environment({
    CNI_NETWORK_CONFIG: template,
    CNI_MTU: '1440',
    CNI_CONF_NAME: '5-x.conflist',
  });
  const configuration = writeNetworkConfiguration(variables, 'node-$1');
  assert.match(configuration, /5-x\.conflist$/);
  const { plugins } = JSON.parse(readFileSync(configuration, 'utf8'));
  assert.deepEqual(plugins, [{ nodename: 'node-$1', mtu: 1440 }]);
});

test('plugins that are to be skipped or kept are left alone', () => {
  const variables = environment({ SKIP_CNI_BINARIES: 'calico-ipam', UPDATE_CNI_BINARIES: 'false' });
  assert.equal(installPlugins(variables, () => shim).length, 1);
  assert.equal(installPlugins(variables, () => shim).length, 0);
  assert.deepEqual(readdirSync(variables.CNI_BIN_DIR), ['calico']);
});

test('a plugin that is there already is not written again, and another version is', () => {
  const variables = environment();
  assert.equal(installPlugins(variables, () => shim).length, 2);
  assert.deepEqual(
    installPlugins(variables, () => shim),
    [],
  );
  const changed = join(variables.CNI_BIN_DIR, 'calico');
  writeFileSync(changed, 'the plugin, another');
  assert.deepEqual(
    installPlugins(variables, () => shim),
    [changed],
  );
  assert.equal(readFileSync(changed, 'utf8'), 'the plugin');
});

test('a configuration that is not JSON is refused and the old one stays', () => {
  const variables = environment();
  const configuration = writeNetworkConfiguration(variables, 'node-1');
  const before = readFileSync(configuration, 'utf8');
  assert.throws(
    () => writeNetworkConfiguration({ ...variables, CNI_NETWORK_CONFIG: '{' }, 'node-1'),
    /not JSON/,
  );
  assert.equal(readFileSync(configuration, 'utf8'), before);
});

test('the host is told of the kubeconfig by the path that it knows', () => {
  const variables = environment({
    CNI_NETWORK_CONFIG: '{"kubeconfig":"__KUBECONFIG_FILEPATH__"}',
    CNI_HOST_NET_DIR: '/etc/cni/net.d',
  });
  const { kubeconfig } = JSON.parse(readFileSync(writeNetworkConfiguration(variables, 'node-1'), 'utf8'));
  assert.equal(kubeconfig, '/etc/cni/net.d/calico-kubeconfig');
});
