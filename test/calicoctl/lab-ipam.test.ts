// IPAM commands on a cluster that calico-lab made: what is leaked there on purpose is found and repaired, and no pod suffers.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { accessFromKubeconfig, KubernetesDatastore } from '../../src/datastore/index.ts';
import { IpamClient } from '../../src/ipam/index.ts';
import { blockAffinities } from '../../src/resources/index.ts';
import { runLabCommand } from '../lab/lab-command.ts';
import { runCalicoctl } from './api-cluster.ts';

const id = `test-ipam-${process.pid}`;
const folder = mkdtempSync(join(tmpdir(), `calicoctl-lab-${process.pid}-`));
let kubeconfig = '';
let store: KubernetesDatastore;

before(async () => {
  const { code, output } = await runLabCommand('up', '--name', id, '--nodes', '2');
  assert.equal(code, 0, output);
  kubeconfig = /export KUBECONFIG=(\S+)/.exec(output)?.[1] ?? '';
  store = new KubernetesDatastore(accessFromKubeconfig(kubeconfig));
});

after(async () => {
  await store?.close();
  const { code, output } = await runLabCommand('down', '--name', id);
  rmSync(folder, { recursive: true });
  assert.equal(code, 0, output);
});

async function calicoctl(...arguments_: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCalicoctl(arguments_, {
    environment: { KUBECONFIG: kubeconfig },
  });
  assert.equal(code, 0, stderr);
  return stdout;
}

test('a cluster fresh from the lab has no problems', async () => {
  assert.match(
    await calicoctl('ipam', 'check'),
    /2 nodes, 12 pods; 14 addresses are assigned\nFound no problems/,
  );
});

test('leaks, half claims and blocks of removed nodes are found and repaired, and the pods keep their addresses', async () => {
  const before = await calicoctl('get', 'wep', '-A', '-o', 'wide');
  const ipam = new IpamClient(store);
  const leak = (node: string, pod: string) =>
    ipam.autoAssign({
      node,
      handleId: `k8s-pod-network.${pod}`,
      attributes: { pod, namespace: 'web', node },
      count: { 4: 1 },
      use: 'Workload',
    });
  await leak('node-1', 'gone');
  await leak('node-9', 'gone-with-its-node');
  await store.create(blockAffinities, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'BlockAffinity',
    metadata: { name: 'node-1-192-168-255-192-26' },
    spec: { state: 'pending', node: 'node-1', type: 'host', cidr: '192.168.255.192/26', deleted: false },
  });
  const report = join(folder, 'report.json');
  const found = await calicoctl('ipam', 'check', '--show-problem-ips', '-o', report);
  assert.match(found, /2 assigned addresses belong to nobody/);
  assert.match(found, /1 block is half claimed\n {2}192\.168\.255\.192\/26 by node "node-1"/);
  assert.match(found, /1 block belongs to a node that does not exist\n {2}\S+ of node "node-9"/);
  assert.equal(
    await calicoctl('ipam', 'release', '--from-report', report),
    '2 leaked addresses released\n1 half-claimed block settled\n1 block of a removed node released\n',
  );
  assert.match(await calicoctl('ipam', 'check'), /14 addresses are assigned\nFound no problems/);
  assert.equal(await calicoctl('get', 'wep', '-A', '-o', 'wide'), before);
});
