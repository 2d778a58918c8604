// What a cluster's objects say about one packet, and why. Written to be read beside the documentation: it works from the
// objects as users wrote them and shares no matching with the rule tree or its compilers, which are tested against it.

import { isAbout, ruleHolds, sidesOf } from './calico-rule.ts';
import type { Cluster, Packet, Side, Verdict } from './cluster.ts';
import { clusterRuleHolds, isSubject } from './cluster-rule.ts';
import { type Entity, entitiesOf, selects } from './entity.ts';
import { directionsOf, kubernetesRuleHolds } from './kubernetes-rule.ts';

type Decision = 'Allow' | 'Deny' | 'Pass';

/** One policy that is about a pod's traffic in one direction. */
interface Asked {
  readonly tier: string;
  readonly order: number;
  /** Breaks ties. */
  readonly sortName: string;
  /** For sentences. */
  readonly name: string;
  /** The first rule that decides about the packet, and what it decides; undefined when none does. */
  readonly decide: () => { readonly decision: Decision; readonly rule: string } | undefined;
}

export function evaluate(cluster: Cluster, packet: Packet): Verdict {
  const entities = entitiesOf(cluster);
  const podWith = (address: string) =>
    entities.find((entity) => entity.kind === 'pod' && entity.has(address));
  const sender = podWith(packet.source);
  const receiver = podWith(packet.destination);
  // A pod always reaches itself: the packet never leaves it.
  if (sender && sender === receiver)
    return { action: 'Allow', reasons: [`"${sender.name}" speaks to itself`] };
  const reasons: string[] = [];
  for (const [pod, side] of [
    [sender, 'egress'],
    [receiver, 'ingress'],
  ] as const) {
    if (!pod) continue;
    const { allowed, reason } = judge(cluster, entities, pod, side, packet);
    reasons.push(reason);
    if (!allowed) return { action: 'Deny', reasons };
  }
  return { action: 'Allow', reasons };
}

/** Tier by tier: the first rule that decides, or the tier's own default where policies of it were asked; then the namespace's profile. */
function judge(
  cluster: Cluster,
  entities: readonly Entity[],
  pod: Entity,
  side: Side,
  packet: Packet,
): { allowed: boolean; reason: string } {
  const asked = policiesAbout(cluster, entities, pod, side, packet);
  const tiers = tiersOf(cluster, new Set(asked.map(({ tier }) => tier)));
  for (const tier of tiers) {
    const policies = asked.filter((policy) => policy.tier === tier.name).sort(compare);
    let passed = false;
    for (const policy of policies) {
      const found = policy.decide();
      if (!found) continue;
      passed = found.decision === 'Pass';
      if (passed) break;
      const verb = found.decision === 'Allow' ? 'allows' : 'denies';
      return { allowed: found.decision === 'Allow', reason: `${found.rule} of ${policy.name} ${verb} it` };
    }
    if (!passed && tier.defaultAction === 'Deny') {
      const names = policies.map(({ name }) => name).join(', ');
      return {
        allowed: false,
        reason: `"${pod.name}" is selected for ${side} by ${names}, and no rule of theirs allows it`,
      };
    }
  }
  if (Object.keys(pod.namespaceLabels).length === 0) {
    return { allowed: false, reason: `The namespace of "${pod.name}" is not known` };
  }
  const which =
    asked.length === 0
      ? `No policy selects "${pod.name}" for ${side}`
      : `No tier decides about ${side} of "${pod.name}"`;
  return { allowed: true, reason: which };
}

function compare(a: Asked, b: Asked): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return a.sortName < b.sortName ? -1 : 1;
}

interface PlainTier {
  readonly name: string;
  readonly order: number;
  readonly defaultAction: 'Deny' | 'Pass';
}

const builtIn: readonly PlainTier[] = [
  { name: 'kube-admin', order: 1000, defaultAction: 'Pass' },
  { name: 'default', order: 1_000_000, defaultAction: 'Deny' },
  { name: 'kube-baseline', order: 10_000_000, defaultAction: 'Pass' },
];

/** The tiers that policies were asked in, in their order. One that nobody has defined comes last and denies. */
function tiersOf({ tiers = [] }: Cluster, names: ReadonlySet<string>): PlainTier[] {
  const last = Number.POSITIVE_INFINITY;
  return [...names]
    .map((name): PlainTier => {
      const object = tiers.find(({ metadata }) => metadata.name === name);
      if (object)
        return {
          name,
          order: object.spec.order ?? last,
          defaultAction: object.spec.defaultAction === 'Pass' ? 'Pass' : 'Deny',
        };
      return builtIn.find((tier) => tier.name === name) ?? { name, order: last, defaultAction: 'Deny' };
    })
    .sort((a, b) => (a.order !== b.order ? (a.order < b.order ? -1 : 1) : a.name < b.name ? -1 : 1));
}

function policiesAbout(
  cluster: Cluster,
  entities: readonly Entity[],
  pod: Entity,
  side: Side,
  packet: Packet,
): Asked[] {
  const asked: Asked[] = [];
  for (const { metadata, spec = {}, ...policy } of cluster.networkPolicies) {
    const isSelected = metadata.namespace === pod.namespace && selects(spec.podSelector ?? {}, pod.labels);
    if (!isSelected || !directionsOf({ metadata, spec, ...policy }).includes(side)) continue;
    asked.push({
      tier: 'default',
      order: 1000,
      sortName: `${metadata.name}/${metadata.namespace}/KubernetesNetworkPolicy`,
      name: `policy "${metadata.namespace}/${metadata.name}"`,
      decide: () => {
        const index = (spec[side] ?? []).findIndex((rule) =>
          kubernetesRuleHolds(rule, metadata.namespace, side, packet, entities),
        );
        return index < 0 ? undefined : { decision: 'Allow', rule: `spec.${side}[${index}]` };
      },
    });
  }
  for (const policy of [...(cluster.calicoPolicies ?? []), ...(cluster.globalPolicies ?? [])]) {
    const { metadata, spec, kind } = policy;
    if (!sidesOf(policy).includes(side) || !isAbout(policy, pod)) continue;
    asked.push({
      tier: spec.tier || 'default',
      order: spec.order ?? Number.POSITIVE_INFINITY,
      sortName: `${metadata.name}/${metadata.namespace ?? ''}/${kind}`,
      name: `${kind} "${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}"`,
      decide: () => {
        for (const [index, rule] of (spec[side] ?? []).entries()) {
          if (rule.action === 'Log' || !ruleHolds(rule, metadata.namespace, packet, entities)) continue;
          return { decision: rule.action, rule: `spec.${side}[${index}]` };
        }
        return undefined;
      },
    });
  }
  for (const { metadata, spec } of cluster.clusterPolicies ?? []) {
    if (!spec[side]?.length || !isSubject(spec.subject, pod)) continue;
    asked.push({
      tier: spec.tier === 'Admin' ? 'kube-admin' : 'kube-baseline',
      order: spec.priority,
      sortName: `${metadata.name}//KubernetesClusterNetworkPolicy`,
      name: `ClusterNetworkPolicy "${metadata.name}"`,
      decide: () => {
        for (const [index, rule] of (spec[side] ?? []).entries()) {
          if (!clusterRuleHolds(rule, side, packet, entities)) continue;
          return {
            decision: rule.action === 'Accept' ? 'Allow' : rule.action,
            rule: `spec.${side}[${index}]`,
          };
        }
        return undefined;
      },
    });
  }
  return asked;
}
