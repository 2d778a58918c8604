// What an API server, and calicoctl, would say against the objects of a cluster.
import type { Cluster } from '../../src/policy/index.ts';
import {
  clusterNetworkPolicies,
  findKind,
  type Resource,
  type ResourceKind,
  validate,
} from '../../src/resources/index.ts';

/** Of the kinds that have rules here: a sentence for each thing that is wrong, which does not depend on the other objects. */
export function faultsOf(cluster: Cluster): string[] {
  const objects: Resource[] = Object.values(cluster).flat();
  return objects.flatMap((object) => {
    const kind = kindOf(object);
    return kind ? validate(kind, object).map(({ message }) => `${object.kind}: ${message}`) : [];
  });
}

export function isSound(cluster: Cluster): boolean {
  return faultsOf(cluster).length === 0;
}

/** Undefined for kinds whose schema the API server has not from us. */
function kindOf({ apiVersion = '', kind }: Resource): ResourceKind | undefined {
  if (apiVersion.startsWith('policy.networking.k8s.io/')) return clusterNetworkPolicies as ResourceKind;
  return apiVersion.startsWith('projectcalico.org/') ? findKind(kind) : undefined;
}
