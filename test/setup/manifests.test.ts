// What a manifest says in one place must hold in another: calico-node's folders are the node's, where Calico has always had them.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';

interface Manifest {
  readonly kind?: string;
  readonly spec?: { readonly template?: { readonly spec?: PodSpec } };
}

interface PodSpec {
  readonly containers: readonly {
    readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes?: readonly { readonly name: string; readonly hostPath?: { readonly path: string } }[];
}

const folder = join(import.meta.dirname, '..', '..', 'manifests');
/** Neither takes it off, nor is there beside another. */
const manifests = globSync('calico*.yaml', { cwd: folder }).filter(
  (name) => !/-(uninstall|policy-admission)\.yaml$/.test(name),
);
const usingHostLocal = manifests.filter((name) =>
  readFileSync(join(folder, name), 'utf8').includes('"host-local"'),
);

/** Of the manifest's DaemonSet. */
function agentIn(name: string): PodSpec | undefined {
  const documents = parseAllDocuments(readFileSync(join(folder, name), 'utf8'));
  const objects = documents.map((document): Manifest => document.toJS() ?? {});
  return objects.find(({ kind }) => kind === 'DaemonSet')?.spec?.template?.spec;
}

test('some manifest has addresses of host-local', () => assert.notDeepEqual(usingHostLocal, []));

for (const name of usingHostLocal) {
  test(`${name}: who has which address of host-local outlives the container`, () => {
    const pod = agentIn(name);
    const mount = pod?.containers[0]?.volumeMounts?.find(({ mountPath }) => mountPath === '/var/lib/cni');
    const volume = pod?.volumes?.find((one) => one.name === mount?.name);
    assert.equal(volume?.hostPath?.path, '/var/lib/cni');
  });
}

/** Those of upstream's calico.yaml that anything here uses, and the runtime's namespaces. */
const folders = [
  '/etc/cni/net.d',
  '/opt/cni/bin',
  '/run/netns',
  '/run/xtables.lock',
  '/var/lib/calico',
  '/var/log/calico',
  '/var/run/calico',
];

for (const name of manifests) {
  test(`${name}: calico-node has the node's folders that Calico has always had, each where it is on the node`, () => {
    const pod = agentIn(name);
    const paths = pod?.volumes?.flatMap(({ hostPath }) => hostPath?.path ?? []).toSorted();
    assert.deepEqual(
      paths,
      usingHostLocal.includes(name) ? [...folders, '/var/lib/cni'].toSorted() : folders,
    );
    for (const { name: volume, hostPath } of pod?.volumes ?? []) {
      const mount = pod?.containers[0]?.volumeMounts?.find((one) => one.name === volume);
      // What the container has of its own under that name is not to be hidden.
      const own = hostPath?.path.includes('/cni/') && !hostPath.path.startsWith('/var') ? '/host' : '';
      assert.equal(mount?.mountPath, `${own}${hostPath?.path}`);
    }
  });
}
