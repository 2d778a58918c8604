// Who the CNI plugin is for the API server: an account of its own, by a token that ends, and that every start of calico-node replaces.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { parse } from 'yaml';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { calicoIsReady } from '../install.ts';
import { kubernetesPrograms } from '../kubernetes-programs.ts';
import type { ClusterNode } from '../node.ts';

const kubeconfig = '/etc/cni/net.d/calico-kubeconfig';

export async function cniToken(cluster: Cluster): Promise<void> {
  const node = cluster.node('node-1');
  const first = tokenOn(node);
  await isOfThePlugin(node, first);
  assert.notEqual(await node.killProgram('calico-node'), 0);
  await eventually('calico-node has written another token', () => tokenOn(node) !== first);
  await isOfThePlugin(node, tokenOn(node));
  await calicoIsReady(cluster);
}

async function isOfThePlugin(node: ClusterNode, token: string): Promise<void> {
  assert.equal(statSync(node.seenFromOutside(kubeconfig)).mode & 0o777, 0o600);
  const { exp, iat } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  assert.ok(exp > iat && exp - iat <= 24 * 3600, `it is good for ${exp - iat} s`);
  const user = await node.run([
    kubernetesPrograms(),
    'kubectl',
    `--kubeconfig=${kubeconfig}`,
    ...['auth', 'whoami', '--output=jsonpath={.status.userInfo.username}'],
  ]);
  assert.equal(user, 'system:serviceaccount:calico-system:calico-cni-plugin');
}

function tokenOn(node: ClusterNode): string {
  const { users } = parse(readFileSync(node.seenFromOutside(kubeconfig), 'utf8'));
  return users[0].user.token;
}
