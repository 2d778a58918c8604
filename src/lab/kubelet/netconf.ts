// The CNI network configuration of a lab node: what a node's /etc/cni/net.d would hold, with the agent's socket of that node.
import { join } from 'node:path';

/** The directory's name for the network; it begins every IPAM handle of the node's pods. */
const networkName = 'k8s-pod-network';

/** The configuration that the plugin reads on its stdin. `root` is the node's root folder. */
export function networkConfiguration(root: string, { isDualStack = false } = {}): string {
  return JSON.stringify({
    cniVersion: '1.0.0',
    name: networkName,
    type: 'calico',
    agent_socket: join(root, 'run', 'cni.sock'),
    deletions_dir: join(root, 'lib', 'cni-deletions'),
    ipam: { type: 'calico-ipam', ...(isDualStack && { assign_ipv4: 'true', assign_ipv6: 'true' }) },
    policy: { type: 'k8s' },
  });
}
