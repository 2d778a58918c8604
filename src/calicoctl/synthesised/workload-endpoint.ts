// Workload endpoints, as upstream shows them: nobody stores them; each pod with an address of ours stands for one.
import { createHash } from 'node:crypto';
import type { Pod, Resource } from '../../resources/index.ts';

export interface WorkloadEndpoint extends Resource {
  spec: Record<string, unknown> & { node: string; pod: string };
}

/** Undefined for a pod that has no endpoint of its own: not scheduled, on the host's network, ended, or without address. */
export function endpointOfPod(pod: Pod): WorkloadEndpoint | undefined {
  const { spec = {}, status = {}, metadata } = pod;
  const { nodeName, serviceAccountName } = spec;
  if (!nodeName || spec.hostNetwork || status.phase === 'Succeeded' || status.phase === 'Failed')
    return undefined;
  const addresses = addressesOf(pod);
  if (addresses.length === 0) return undefined;
  const { namespace = 'default', name } = metadata;
  const containerID = metadata.annotations?.['cni.projectcalico.org/containerID'];
  const labels: Record<string, string> = {
    ...metadata.labels,
    'projectcalico.org/namespace': namespace,
    'projectcalico.org/orchestrator': 'k8s',
  };
  // A longer name cannot be the value of a label.
  if (serviceAccountName && serviceAccountName.length < 63) {
    labels['projectcalico.org/serviceaccount'] = serviceAccountName;
  }
  const ports = portsOf(pod);
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: {
      name: endpointName(nodeName, name),
      namespace,
      labels,
      ...(metadata.uid && { uid: metadata.uid }),
      ...(metadata.resourceVersion && { resourceVersion: metadata.resourceVersion }),
      ...(metadata.creationTimestamp && { creationTimestamp: metadata.creationTimestamp }),
    },
    spec: {
      orchestrator: 'k8s',
      node: nodeName,
      pod: name,
      endpoint: 'eth0',
      ...(containerID && { containerID }),
      ...(serviceAccountName && { serviceAccountName }),
      ipNetworks: addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`),
      interfaceName: interfaceName(namespace, name),
      profiles: [
        `kns.${namespace}`,
        ...(serviceAccountName ? [`ksa.${namespace}.${serviceAccountName}`] : []),
      ],
      ...(ports.length > 0 && { ports }),
    },
  };
}

/** "node--1-k8s-my--pod-eth0": dashes within a part are doubled, so that the parts can be told apart. */
function endpointName(node: string, pod: string): string {
  const doubled = (part: string) => part.replaceAll('-', '--');
  return `${doubled(node)}-k8s-${doubled(pod)}-eth0`;
}

/** The agent's annotation is there before the kubelet has written the status; an empty one says that there are none any more. */
function addressesOf({ metadata, status }: Pod): string[] {
  const annotated = metadata.annotations?.['cni.projectcalico.org/podIPs'];
  if (annotated === '') return [];
  if (annotated) return annotated.split(',').map((text) => text.replace(/\/\d+$/, ''));
  if (status?.podIPs) return status.podIPs.map(({ ip }) => ip);
  return status?.podIP ? [status.podIP] : [];
}

function portsOf({ spec }: Pod): object[] {
  return (spec?.containers ?? [])
    .flatMap(({ ports }) => ports ?? [])
    .map(({ name, containerPort, protocol, hostPort }) => ({
      ...(name && { name }),
      port: containerPort,
      protocol: protocol ?? 'TCP',
      ...(hostPort && { hostPort }),
    }));
}

/** As calculated for the dataplane (src/calc), which takes long to load. */
function interfaceName(namespace: string, pod: string): string {
  return `cali${createHash('sha1').update(`${namespace}.${pod}`).digest('hex').slice(0, 11)}`;
}
