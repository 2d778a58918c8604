import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { readCniFacts, usualCniPlaces } from './cni-facts.ts';

let node = '';
beforeEach(() => {
  node = mkdtempSync(join(tmpdir(), 'calico-cni-facts-'));
});
afterEach(() => rmSync(node, { recursive: true }));

function write(file: string, content = ''): void {
  mkdirSync(dirname(node + file), { recursive: true });
  writeFileSync(node + file, content);
}

const conflist = '{"plugins":[{"type":"calico","ipam":{"type":"host-local"}}]}';
const debian = '[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/usr/lib/cni"\n';
/** As it looks from a container in which the folders are mounted. */
const factsFrom = () =>
  readCniFacts({
    root: node,
    net: { path: `${node}/etc/cni/net.d`, name: '/etc/cni/net.d' },
    plugins: { path: `${node}/opt/cni/bin`, name: '/opt/cni/bin' },
  });

test('what the runtime finds is looked for where it looks, and not where Calico was installed', () => {
  write('/etc/containerd/config.toml', debian);
  write('/etc/cni/net.d/10-calico.conflist', conflist);
  write('/opt/cni/bin/calico');
  write('/usr/lib/cni/portmap');
  const { plugins, pluginFolder, runtimes } = factsFrom();
  assert.deepEqual([pluginFolder, plugins], ['/opt/cni/bin', ['calico']]);
  assert.deepEqual(
    runtimes.map(({ name, plugins, namesCalico }) => ({ name, plugins, namesCalico })),
    [{ name: 'containerd', plugins: ['portmap'], namesCalico: true }],
  );
});

test("a runtime's folder that is a link of the node's is the folder to which it leads there", () => {
  write('/etc/containerd/config.toml', '');
  write('/usr/lib/cni/calico');
  mkdirSync(`${node}/opt/cni`, { recursive: true });
  symlinkSync('/usr/lib/cni', `${node}/opt/cni/bin`);
  assert.deepEqual(factsFrom().runtimes[0]?.plugins, ['calico']);
});

test('a plugin is told of that is a link to what is not to be seen', () => {
  write('/opt/cni/bin/calico');
  symlinkSync('/var/lib/elsewhere/host-local', `${node}/opt/cni/bin/host-local`);
  symlinkSync('calico', `${node}/opt/cni/bin/calico-ipam`);
  assert.deepEqual(factsFrom().brokenLinks, ['host-local']);
});

test('on the node itself, Calico is looked for where the runtime looks, and where it is installed by default', () => {
  const folder = (name: string) => `${node}/${name}`;
  const own = `[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "${folder('bin')}"\nconf_dir = "${folder('net')}"\n`;
  write('/etc/containerd/config.toml', own);
  write('/bin/calico');
  write('/net/10-calico.conflist', conflist);
  // The root is the node's in all but name, so that the test reads no files of this machine.
  const facts = readCniFacts({ root: node, net: undefined, plugins: undefined });
  assert.deepEqual([facts.folder, facts.pluginFolder], [folder('net'), folder('bin')]);
  assert.deepEqual(facts.configurations, [
    { file: '10-calico.conflist', plugins: ['calico'], ipam: 'host-local' },
  ]);
});

test("in calico-node's container the folders that are mounted are called as the node calls them", () => {
  const inside = (path: string) => path.startsWith('/host/');
  const k3s = { CNI_HOST_NET_DIR: '/var/lib/rancher/net.d', CNI_HOST_BIN_DIR: '/var/lib/rancher/cni' };
  assert.deepEqual(usualCniPlaces(k3s, inside), {
    root: '/proc/1/root',
    net: { path: '/host/etc/cni/net.d', name: '/var/lib/rancher/net.d' },
    plugins: { path: '/host/opt/cni/bin', name: '/var/lib/rancher/cni' },
  });
  assert.deepEqual(usualCniPlaces({}, inside).net?.name, '/etc/cni/net.d');
  assert.deepEqual(
    usualCniPlaces(k3s, () => false),
    { root: '', net: undefined, plugins: undefined },
  );
});
