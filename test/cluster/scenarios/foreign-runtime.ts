// A container runtime that looks for CNI plugins where Calico has put none: pods wait, calicoctl names the folder, from the API server's
// events and on the node from the runtime's own configuration; and when the runtime looks where they are, the pods come.
import type { Cluster } from '../cluster.ts';
import { pluginFolders } from '../node-configuration.ts';
import { apply, podManifest, readyPods } from '../pods.ts';
import { doctorTells } from './doctor.ts';

/** On a cluster whose nodes have Debian's containerd, and Calico where that looks. */
export async function foreignRuntime(cluster: Cluster): Promise<void> {
  const node = cluster.node('node-3');
  const remedy = new RegExp(`cni\\.binFolder=${pluginFolders.upstream}`);
  await node.setUpContainerd('upstream');
  try {
    await apply(cluster, podManifest({ name: 'astray', node: node.name }));
    await doctorTells(cluster, 'the cluster', [
      {
        finding: `pod-setup-fails: The container runtime looks for Calico's CNI plugin in ${pluginFolders.upstream}, and does not find it there`,
        where: /astray/,
        remedy,
      },
    ]);
    await doctorTells(cluster, node.name, [
      {
        finding: `runtime-looks-elsewhere: containerd looks for CNI plugins in ${pluginFolders.upstream}, and Calico's are in ${pluginFolders.debian}`,
        where: `node "${node.name}", /etc/containerd/config.toml`,
        remedy,
      },
    ]);
  } finally {
    await node.setUpContainerd('debian');
  }
  await readyPods(cluster, ['astray']);
  await doctorTells(cluster, node.name, []);
  await cluster.kubectl(['delete', 'pod', '--now', 'astray']);
}
