import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { readRuntimes, seenBelow } from './runtimes.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'calico-runtimes-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, content: string): void {
  mkdirSync(dirname(root + file), { recursive: true });
  writeFileSync(root + file, content);
}

/** "name: folders of plugins; folder of configurations" of each runtime. */
const said = () =>
  readRuntimes(root).map(
    ({ name, pluginFolders, netFolder }) => `${name}: ${pluginFolders.join()}; ${netFolder}`,
  );

const main = '/etc/containerd/config.toml';
const k3s = '/var/lib/rancher/k3s/agent/etc/containerd/config.toml';

describe('containerd is said to look where its configuration says:', () => {
  test("as Debian's package has it, in version 2", () => {
    write(
      main,
      `version = 2
[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd/opt"
`,
    );
    assert.deepEqual(said(), ['containerd: /usr/lib/cni; /etc/cni/net.d']);
  });

  test('in version 3, with a list of folders', () => {
    write(
      main,
      `version = 3
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dir = ''
  bin_dirs = ['/opt/cni/bin', '/usr/libexec/cni/'] # both
`,
    );
    assert.deepEqual(said(), ['containerd: /opt/cni/bin,/usr/libexec/cni; /etc/cni/net.d']);
  });

  test('in version 1', () => {
    write(main, '[plugins.cri.cni]\nbin_dir = "/a"\nconf_dir = "/b"\n');
    assert.deepEqual(said(), ['containerd: /a; /b']);
  });

  test('and where it says nothing, where containerd is made to look', () => {
    write(main, 'version = 2\n');
    assert.deepEqual(said(), ['containerd: /opt/cni/bin; /etc/cni/net.d']);
  });

  test('by a file that it imports, the last of them winning', () => {
    write(main, 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n');
    const cni = (folder: string) => `[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "${folder}"\n`;
    write('/etc/containerd/conf.d/10-first.toml', cni('/first'));
    write('/etc/containerd/conf.d/20-last.toml', cni('/last'));
    assert.deepEqual(said(), ['containerd: /last; /etc/cni/net.d']);
  });
});

test('a containerd that kubelet cannot use, one that cannot be read, and none at all look nowhere', () => {
  assert.deepEqual(said(), []);
  write(main, 'disabled_plugins = ["cri"]\n');
  assert.deepEqual(said(), []);
  write(main, 'version = \n');
  assert.deepEqual(said(), []);
});

test('k3s and MicroK8s have a containerd of their own, beside which no other counts', () => {
  write(main, 'version = 2\n');
  write(k3s, 'version = 3\n[plugins."io.containerd.cri.v1.runtime".cni]\nbin_dirs = ["/k3s/cni"]\n');
  assert.deepEqual(said(), ["k3s' containerd: /k3s/cni; /etc/cni/net.d"]);
  rmSync(root + k3s);
  const args = '/var/snap/microk8s/7000/args';
  write(
    `${args}/containerd.toml`,
    `version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/var/snap/microk8s/7000/opt/cni/bin"\nconf_dir = "${args}/cni-network"\n`,
  );
  symlinkSync('7000', `${root}/var/snap/microk8s/current`);
  assert.deepEqual(said(), [
    `MicroK8s' containerd: /var/snap/microk8s/7000/opt/cni/bin; ${args}/cni-network`,
  ]);
});

test("CRI-O's files are read in their order, and the last that says something is named", () => {
  write('/etc/crio/crio.conf.d/10-crio.conf', '[crio.runtime]\ndefault_runtime = "crun"\n');
  assert.deepEqual(said(), ['CRI-O: /opt/cni/bin; /etc/cni/net.d']);
  write('/etc/crio/crio.conf', '[crio.network]\nplugin_dirs = ["/old/"]\nnetwork_dir = "/net/"\n');
  write(
    '/etc/crio/crio.conf.d/20-own.conf',
    '[crio.network]\nplugin_dirs = ["/usr/lib/cni", "/opt/cni/bin"]\n',
  );
  assert.deepEqual(said(), ['CRI-O: /usr/lib/cni,/opt/cni/bin; /net']);
  assert.deepEqual(
    readRuntimes(root).map(({ file }) => file),
    ['/etc/crio/crio.conf.d/20-own.conf'],
  );
});

test("links below another root lead where the node's own would, and those that go round in circles nowhere", () => {
  mkdirSync(`${root}/usr/lib/cni`, { recursive: true });
  mkdirSync(`${root}/opt/cni`, { recursive: true });
  symlinkSync('/usr/lib/cni', `${root}/opt/cni/bin`);
  symlinkSync('../../usr/lib', `${root}/opt/cni/up`);
  symlinkSync('/opt/cni/round', `${root}/opt/cni/round`);
  assert.equal(seenBelow(root, '/opt/cni/bin/calico'), `${root}/usr/lib/cni/calico`);
  assert.equal(seenBelow(root, '/opt/cni/up/cni'), `${root}/usr/lib/cni`);
  assert.equal(seenBelow(root, '/opt/cni/round'), `${root}/opt/cni/round`);
  assert.equal(seenBelow('', '/opt/cni/bin'), '/opt/cni/bin');
});
