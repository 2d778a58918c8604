// Installing Calico as a user does, and seeing that it is there.
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import { Guide, type } from './guide.ts';

/** Path of a file that people apply. */
export function manifest(name: string): string {
  return join(import.meta.dirname, '../../manifests', name);
}

export const installGuide = new Guide('docs/install.md');

/** As the guide says, into the programs that `type` finds. */
export async function installCalicoctl(cluster: Cluster): Promise<void> {
  for (const command of installGuide.commandsOf('calicoctl')) {
    if (command.startsWith('npm ')) await type(cluster, command);
  }
}

/** Resolves when every pod of Calico's and every node is Ready. @throws Error with the end of calico-node's logs */
export async function calicoIsReady(cluster: Cluster): Promise<void> {
  const inNamespace = '--namespace=calico-system';
  try {
    for (const what of ['daemonset/calico-node', 'deployment/calico-kube-controllers']) {
      await cluster.kubectl(['rollout', 'status', inNamespace, what, '--timeout=240s']);
    }
    await cluster.kubectl(['wait', '--for=condition=Ready', '--all', '--timeout=120s', 'node']);
  } catch (cause) {
    const look = (args: readonly string[]) => cluster.kubectl(args).catch((error: Error) => error.message);
    const seen = await Promise.all([
      look(['get', 'nodes,pods', '--all-namespaces', '--output=wide']),
      look(['get', 'events', '--all-namespaces', '--field-selector=type=Warning']),
      look([
        'logs',
        inNamespace,
        '--selector=k8s-app=calico-node',
        '--all-containers',
        '--tail=20',
        '--prefix',
      ]),
      look(['logs', inNamespace, '--selector=k8s-app=calico-kube-controllers', '--tail=20', '--prefix']),
    ]);
    throw new Error(`Calico did not become ready:\n${seen.join('\n')}`, { cause });
  }
}
