// Calico leaves, as docs/install.md says; what is on the nodes and in the cluster then.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { type } from '../guide.ts';
import { installGuide } from '../install.ts';
import type { ClusterNode } from '../node.ts';
import { pluginFolders } from '../node-configuration.ts';
import { accountIsLeast } from './least-privilege.ts';

/** By the commands of that section of the guide: the first paragraph of them cleans the nodes, the rest the cluster. */
export async function uninstall(t: TestContext, cluster: Cluster, heading: string): Promise<void> {
  const commands = installGuide.commandsOf(heading);
  const rollout = commands.findIndex((command) => command.includes('rollout status'));
  assert.notEqual(rollout, -1);

  await t.test('the nodes are left as they were', async () => {
    for (const command of commands.slice(0, rollout + 1)) await type(cluster, command);
    await nodesAreClean(cluster);
    await accountIsLeast(cluster, 'calico-uninstall');
  });
  await t.test('and so is the cluster', async () => {
    for (const command of commands.slice(rollout + 1)) await type(cluster, command);
    await clusterIsClean(cluster);
  });
}

async function nodesAreClean(cluster: Cluster): Promise<void> {
  for (const node of cluster.nodes) assert.deepEqual(await remains(node), []);
  const said = '--output=jsonpath={.items[*].metadata.annotations} {.items[*].status.conditions}';
  assert.doesNotMatch(await cluster.kubectl(['get', 'nodes', said]), /calico/i);
  await eventually('no node has a network any more', async () => {
    const ready = await cluster.kubectl([
      'get',
      'nodes',
      '--output=jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}',
    ]);
    return ready === 'False False False';
  });
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
    ...Object.values(pluginFolders).flatMap((folder) => [`${folder}/calico`, `${folder}/calico-ipam`]),
  ].filter((path) => existsSync(node.seenFromOutside(path)));
  const folders = ['/var/lib/calico', '/var/run/calico', '/var/log/calico', '/var/lib/cni/networks'];
  const state = folders.flatMap((path) => {
    const seen = node.seenFromOutside(path);
    return existsSync(seen) ? readdirSync(seen).map((name) => `${path}/${name}`) : [];
  });
  const lines = async (...command: [string, ...string[]]) => (await node.run(command)).trim().split('\n');
  const [links, routes, routes6, tables] = await Promise.all([
    lines('ip', '-oneline', 'link'),
    lines('ip', 'route', 'show', 'table', 'all'),
    lines('ip', '-6', 'route', 'show', 'table', 'all'),
    lines('nft', 'list', 'tables'),
  ]);
  return [
    ...files,
    ...state,
    ...links.filter((line) => /cali/.test(line)),
    ...[...routes, ...routes6].filter((line) => /cali|proto (80|bird)/.test(line)),
    ...tables.filter((line) => /cali/.test(line)),
  ];
}
