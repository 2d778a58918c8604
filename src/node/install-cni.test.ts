import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { installCni } from './install-cni.ts';

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
  const { configuration } = installCni(variables, 'node-1', () => shim);
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
  const { configuration } = installCni(variables, 'node-$1', () => shim);
  assert.match(configuration, /5-x\.conflist$/);
  const { plugins } = JSON.parse(readFileSync(configuration, 'utf8'));
  assert.deepEqual(plugins, [{ nodename: 'node-$1', mtu: 1440 }]);
});

test('plugins that are to be skipped or kept are left alone', () => {
  const variables = environment({ SKIP_CNI_BINARIES: 'calico-ipam', UPDATE_CNI_BINARIES: 'false' });
  assert.equal(installCni(variables, 'node-1', () => shim).plugins.length, 1);
  assert.equal(installCni(variables, 'node-1', () => shim).plugins.length, 0);
  assert.deepEqual(readdirSync(variables.CNI_BIN_DIR), ['calico']);
});

test('a configuration that is not JSON is refused and the old one stays', () => {
  const variables = environment();
  const { configuration } = installCni(variables, 'node-1', () => shim);
  const before = readFileSync(configuration, 'utf8');
  assert.throws(
    () => installCni({ ...variables, CNI_NETWORK_CONFIG: '{' }, 'node-1', () => shim),
    /not JSON/,
  );
  assert.equal(readFileSync(configuration, 'utf8'), before);
});
