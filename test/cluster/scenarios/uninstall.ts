// Calico leaves: what docs/install.md tells to do, and what is on the nodes then.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { chart, manifest, release } from '../install.ts';
import type { ClusterNode } from '../node.ts';

/** As after kubectl apply. */
export async function uninstall(t: TestContext, cluster: Cluster): Promise<void> {
  await t.test('the nodes are left as they were', async () => {
    await cluster.kubectl([
      'delete',
      '--namespace=calico-system',
      'daemonset/calico-node',
      'deployment/calico-kube-controllers',
      '--cascade=foreground',
      '--timeout=120s',
    ]);
    await cluster.kubectl(['apply', '--filename', manifest('calico-uninstall.yaml')]);
    await nodesAreClean(cluster);
  });

  await t.test('and so is the cluster', async () => {
    await releasePoolsAndTiers(cluster);
    for (const file of ['calico-uninstall.yaml', 'calico.yaml']) {
      await cluster.kubectl(['delete', '--ignore-not-found', '--timeout=120s', '--filename', manifest(file)]);
    }
    await clusterIsClean(cluster);
  });
}

/** As after helm install. */
export async function uninstallWithHelm(t: TestContext, cluster: Cluster): Promise<void> {
  await t.test('the nodes are left as they were', async () => {
    await cluster.helm(['upgrade', 'calico', chart, ...release, '--reuse-values', '--set=uninstall=true']);
    await nodesAreClean(cluster);
  });

  await t.test('and so is the cluster', async () => {
    await releasePoolsAndTiers(cluster);
    await cluster.helm(['uninstall', 'calico', ...release]);
    await cluster.kubectl(['delete', '--timeout=120s', '--filename', manifest('crds')]);
    await cluster.kubectl(['delete', 'namespace', 'calico-system', '--timeout=120s']);
    await clusterIsClean(cluster);
  });
}

/** Resolves when calico-uninstall has been everywhere. */
async function nodesAreClean(cluster: Cluster): Promise<void> {
  await cluster.kubectl([
    'rollout',
    'status',
    '--namespace=calico-system',
    'daemonset/calico-uninstall',
    '--timeout=120s',
  ]);
  for (const node of cluster.nodes) assert.deepEqual(await remains(node), []);
  await eventually('no node has a network any more', async () => {
    const ready = await cluster.kubectl([
      'get',
      'nodes',
      '--output=jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}',
    ]);
    return ready === 'False False False';
  });
}

/** They wait for a controller that is gone. */
async function releasePoolsAndTiers(cluster: Cluster): Promise<void> {
  const kept = (await cluster.kubectl(['get', 'ippools,tiers', '--output=name'])).trim();
  for (const name of kept.split('\n')) {
    await cluster.kubectl(['patch', name, '--type=merge', '--patch={"metadata":{"finalizers":null}}']);
  }
}

async function clusterIsClean(cluster: Cluster): Promise<void> {
  const left = await cluster.kubectl([
    'get',
    'namespaces,crds,clusterroles,clusterrolebindings',
    '--output=name',
  ]);
  assert.doesNotMatch(left, /calico/);
}

/** What is still Calico's on a node, one phrase each. */
async function remains(node: ClusterNode): Promise<string[]> {
  const files = [
    '/etc/cni/net.d/10-calico.conflist',
    '/etc/cni/net.d/calico-kubeconfig',
    '/opt/cni/bin/calico',
    '/opt/cni/bin/calico-ipam',
  ].filter((path) => existsSync(node.seenFromOutside(path)));
  const state = ['/var/lib/calico', '/var/run/calico'].flatMap((path) => {
    const seen = node.seenFromOutside(path);
    return existsSync(seen) ? readdirSync(seen).map((name) => `${path}/${name}`) : [];
  });
  const lines = async (...command: [string, ...string[]]) => (await node.run(command)).trim().split('\n');
  const [links, routes, tables] = await Promise.all([
    lines('ip', '-oneline', 'link'),
    lines('ip', 'route', 'show', 'table', 'all'),
    lines('nft', 'list', 'tables'),
  ]);
  return [
    ...files,
    ...state,
    ...links.filter((line) => /cali/.test(line)),
    ...routes.filter((line) => /cali|proto (80|bird)/.test(line)),
    ...tables.filter((line) => /cali/.test(line)),
  ];
}
