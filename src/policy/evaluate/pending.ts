// The cluster as it would be if its drafts were put into force. "Set" and "Learn" put the draft in the place of the policy of
// the same kind and name, or beside the others where there is none; "Delete" takes that policy away; "Ignore" does nothing.
import type {
  GlobalNetworkPolicy,
  KubernetesNetworkPolicy,
  NetworkPolicy,
  Resource,
  StagedGlobalNetworkPolicy,
  StagedKubernetesNetworkPolicy,
  StagedNetworkPolicy,
} from '../../resources/index.ts';
import type { Cluster } from './cluster.ts';

type Staged = StagedGlobalNetworkPolicy | StagedKubernetesNetworkPolicy | StagedNetworkPolicy;

export function withDraftsInForce({ stagedPolicies = [], ...cluster }: Cluster): Cluster {
  return {
    ...cluster,
    networkPolicies: inForce<KubernetesNetworkPolicy>(
      cluster.networkPolicies,
      stagedPolicies.filter(({ kind }) => kind === 'StagedKubernetesNetworkPolicy'),
    ),
    calicoPolicies: inForce<NetworkPolicy>(
      cluster.calicoPolicies ?? [],
      stagedPolicies.filter(({ kind }) => kind === 'StagedNetworkPolicy'),
    ),
    globalPolicies: inForce<GlobalNetworkPolicy>(
      cluster.globalPolicies ?? [],
      stagedPolicies.filter(({ kind }) => kind === 'StagedGlobalNetworkPolicy'),
    ),
  };
}

/** Drafts keep their kind, by which sentences tell them from policies. */
function inForce<T extends Resource>(policies: readonly T[], drafts: readonly Staged[]): T[] {
  const effective = drafts.filter(({ spec }) => spec.stagedAction !== 'Ignore');
  const named = (a: Resource, b: Resource) =>
    a.metadata.name === b.metadata.name && a.metadata.namespace === b.metadata.namespace;
  const untouched = policies.filter((policy) => !effective.some((draft) => named(draft, policy)));
  const put = effective.filter(({ spec }) => spec.stagedAction !== 'Delete');
  return [...untouched, ...(put as readonly Resource[] as readonly T[])];
}
