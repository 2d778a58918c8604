// A random cluster as a manifest that kubectl and calicoctl can apply: what says nothing is left out, and pods ask for the
// addresses that they are to have.
import { stringify } from 'yaml';
import { type Cluster, workloadEndpointOf } from '../../src/policy/index.ts';
import type { Pod, Resource } from '../../src/resources/index.ts';

const order = ['Namespace', 'Node', 'ServiceAccount', 'Tier', 'FelixConfiguration'];

export function manifestOf(cluster: Cluster): string {
  const objects: Resource[] = [
    ...cluster.namespaces.filter(
      ({ metadata }) => isUsed(cluster, metadata.name) || isLabelled(metadata.labels),
    ),
    ...(cluster.nodes ?? [])
      .filter(({ metadata }) => isLabelled(metadata.labels))
      .map(({ status: _, ...node }) => node),
    ...cluster.pods.map(asked),
    ...Object.entries(cluster).flatMap(([kind, list]) =>
      ['namespaces', 'nodes', 'pods'].includes(kind) ? [] : ([list].flat() as Resource[]),
    ),
  ];
  const rank = ({ kind = '' }: Resource) => (order.indexOf(kind) + order.length + 1) % (order.length + 1);
  return objects
    .toSorted((a, b) => rank(a) - rank(b))
    .map((object) => stringify(object, { aliasDuplicateObjects: false }))
    .join('---\n');
}

function isUsed(cluster: Cluster, name: string): boolean {
  const objects: Resource[] = Object.values(cluster).flat();
  return objects.some(({ metadata }) => metadata.namespace === name);
}

function isLabelled(labels: Readonly<Record<string, string>> = {}): boolean {
  return Object.keys(labels).some((key) => !key.includes('kubernetes.io/'));
}

function asked(pod: Pod): Pod {
  const { uid: _, annotations: __, ...metadata } = pod.metadata;
  const addresses = workloadEndpointOf(pod)?.addresses;
  const wish = { 'cni.projectcalico.org/ipAddrs': JSON.stringify(addresses) };
  return { ...pod, metadata: { ...metadata, ...(addresses && { annotations: wish }) } };
}
