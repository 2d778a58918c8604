// What a manifest says in one place must hold in another: the plugins that calico-node runs in its container keep their records
// in files, and these must be the node's own.
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
const usingHostLocal = globSync('*.yaml', { cwd: folder }).filter((name) =>
  readFileSync(join(folder, name), 'utf8').includes('"host-local"'),
);

test('some manifest has addresses of host-local', () => assert.notDeepEqual(usingHostLocal, []));

for (const name of usingHostLocal) {
  test(`${name}: who has which address of host-local outlives the container`, () => {
    const documents = parseAllDocuments(readFileSync(join(folder, name), 'utf8'));
    const manifests = documents.map((document): Manifest => document.toJS() ?? {});
    const pod = manifests.find(({ kind }) => kind === 'DaemonSet')?.spec?.template?.spec;
    const mount = pod?.containers[0]?.volumeMounts?.find(({ mountPath }) => mountPath === '/var/lib/cni');
    const volume = pod?.volumes?.find((one) => one.name === mount?.name);
    assert.equal(volume?.hostPath?.path, '/var/lib/cni');
  });
}
