// calicoctl on a store that holds objects which no validation would let in: it shows what is sound, and names the others.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { type ApiServer, startApiServer } from '../../src/apiserver/index.ts';
import { KubernetesDatastore } from '../../src/datastore/index.ts';
import { crds, customResourceDefinitions, ipPools, nodes } from '../../src/resources/index.ts';
import { accessTo } from '../datastore/access.ts';
import { hostileObject } from '../faults/hostile-objects.ts';
import { networkTemplates, policyTemplates } from '../faults/hostile-templates.ts';
import { plantObjects } from '../faults/planted-objects.ts';
import { seeded } from '../faults/seeded.ts';
import { runCalicoctl } from './api-cluster.ts';

const seed = Number(process.env.CALICO_SEED ?? 20261126);
const folder = mkdtempSync(join(tmpdir(), `calicoctl-hostile-${process.pid}-`));
const KUBECONFIG = join(folder, 'kubeconfig');
let server: ApiServer;

before(async () => {
  const database = join(folder, 'api.sqlite');
  const first = await startApiServer({ database, token: 'secret' });
  const store = new KubernetesDatastore(accessTo(first.url));
  for (const definition of crds()) await store.create(customResourceDefinitions, definition);
  await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'sound' } });
  await store.create(ipPools, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name: 'sound' },
    spec: { cidr: '10.99.0.0/24' },
  });
  await store.close();
  await first.close();
  const random = seeded(seed);
  plantObjects(
    database,
    Array.from({ length: 300 }, (_, n) =>
      hostileObject(n, random, n % 2 ? policyTemplates : networkTemplates),
    ),
  );
  server = await startApiServer({ database, token: 'secret' });
  writeFileSync(
    KUBECONFIG,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'a', cluster: { server: server.url } }],
      users: [{ name: 'a', user: { token: 'secret' } }],
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      'current-context': 'a',
    }),
  );
});
after(async () => {
  await server?.close();
  rmSync(folder, { recursive: true });
});

for (const [command, shown, told] of [
  ['get nodes', /sound/, /^Warning: Node "hostile-\d+" is not what it should be: /m],
  ['get workloadendpoints -A', /NAMESPACE/, /^Warning: Pod "other\/hostile-\d+" is not what it should be: /m],
  ['get profiles -o wide', /projectcalico-default-allow/, /^Warning: Namespace "hostile-\d+" is not/m],
  ['get ippools -o wide', /sound/, /^$/],
  [
    'ipam show --show-blocks',
    /10\.99\.0\.0\/24/,
    /^Warning: IPPool "hostile-\d+" is not what it should be: /m,
  ],
  [
    'ipam check',
    /^Checked \d+ pools, [1-9]\d* blocks?, /,
    /^Warning: IPAMBlock "192-168-\d+-\d+-30" is not what it should be: /m,
  ],
] as const) {
  test(`${command} (seed ${seed})`, async () => {
    const { code, stdout, stderr } = await runCalicoctl(command.split(' '), { environment: { KUBECONFIG } });
    assert.equal(code, 0, stderr);
    assert.match(stdout, shown);
    assert.match(stderr, told);
  });
}
