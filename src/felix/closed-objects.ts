// What stands in for a policy that is not what its kind is. Whom it was meant for, where it still says so, passes nothing; where
// it does not, all whom it could have been meant for.
import {
  type ClusterNetworkPolicy,
  clusterNetworkPolicies,
  type GlobalNetworkPolicy,
  globalNetworkPolicies,
  type KubernetesNetworkPolicy,
  kubernetesNetworkPolicies,
  misfit,
  type NetworkPolicy,
  networkPolicies,
  type Resource,
  type ResourceKind,
  type Tier,
} from '../resources/index.ts';

type Fields = Readonly<Record<string, unknown>>;

const denied = [{ action: 'Deny' as const }];
const types = ['Ingress' as const, 'Egress' as const];

export function closedNetworkPolicy(policy: NetworkPolicy): NetworkPolicy {
  const scope = readable(
    networkPolicies,
    policy,
    ['tier', 'order', 'selector', 'serviceAccountSelector'],
    {},
  );
  return { ...bare(policy), spec: { ...scope, types, ingress: denied, egress: denied } };
}

export function closedGlobalNetworkPolicy(policy: GlobalNetworkPolicy): GlobalNetworkPolicy {
  const fields = ['tier', 'order', 'selector', 'namespaceSelector', 'serviceAccountSelector'];
  const scope = readable(globalNetworkPolicies, policy, fields, {});
  return { ...bare(policy), spec: { ...scope, types, ingress: denied, egress: denied } };
}

export function closedKubernetesNetworkPolicy(policy: KubernetesNetworkPolicy): KubernetesNetworkPolicy {
  const scope = readable(kubernetesNetworkPolicies, policy, ['podSelector'], {});
  return { ...bare(policy), spec: { podSelector: {}, ...scope, policyTypes: types } };
}

export function closedClusterNetworkPolicy(policy: ClusterNetworkPolicy): ClusterNetworkPolicy {
  const everybody = { tier: 'Admin' as const, priority: 0, subject: { namespaces: {} } };
  const scope = readable(clusterNetworkPolicies, policy, ['tier', 'priority', 'subject'], everybody);
  return {
    ...bare(policy),
    spec: {
      ...everybody,
      ...scope,
      ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }],
      egress: [{ action: 'Deny', to: [{ namespaces: {} }, { networks: ['0.0.0.0/0', '::/0'] }] }],
    },
  };
}

/** What reaches its end is denied. */
export function closedTier(tier: Tier): Tier {
  return { ...bare(tier), spec: { defaultAction: 'Deny' } };
}

/** An object's name, and nothing else of it. */
function bare<T extends Resource>({ apiVersion, kind, metadata: { name, namespace } }: T) {
  return { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } };
}

/** Those fields of its spec that are what they should be. `required` makes a spec of one field whole. */
function readable<T extends Resource>(
  kind: ResourceKind<T>,
  object: T,
  fields: readonly string[],
  required: Fields,
): Fields {
  const spec = (object as { readonly spec?: unknown }).spec;
  if (typeof spec !== 'object' || spec === null) return {};
  return Object.fromEntries(
    Object.entries(spec).filter(([name, value]) => {
      const alone = { ...bare(object), spec: { ...required, [name]: value } };
      return fields.includes(name) && misfit(kind, alone as unknown as T) === undefined;
    }),
  );
}
