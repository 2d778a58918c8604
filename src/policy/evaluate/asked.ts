// Which policies are asked about a pod's traffic in one direction, and what each of them says of a packet. One reading per
// kind of policy; what they have in common is the shape of the answer.
import type {
  ClusterNetworkPolicy,
  GlobalNetworkPolicy,
  KubernetesNetworkPolicy,
  NetworkPolicy,
} from '../../resources/index.ts';
import { isAbout, ruleHolds, sidesOf } from './calico-rule.ts';
import type { Cluster, Packet, Side } from './cluster.ts';
import { clusterRuleHolds, isSubject } from './cluster-rule.ts';
import { type Entity, selects } from './entity.ts';
import { directionsOf, kubernetesRuleHolds } from './kubernetes-rule.ts';
import {
  isReadable,
  isReadableClusterRule,
  isReadableKubernetesRule,
  isReadableSelector,
  isReadableSubject,
} from './readable.ts';

export type Decision = 'Allow' | 'Deny' | 'Pass';

/** One policy that is about a pod's traffic in one direction. */
export interface Asked {
  readonly tier: string;
  readonly order: number;
  /** Breaks ties. */
  readonly sortName: string;
  /** For sentences. */
  readonly name: string;
  /** The first rule that decides about the packet, and what it decides; undefined when none does. */
  readonly decide: () => { readonly decision: Decision; readonly rule: string } | undefined;
}

/** A packet on its way through one end's policies, and what is known of the cluster. */
export interface Question {
  readonly cluster: Cluster;
  readonly entities: readonly Entity[];
  readonly pod: Entity;
  readonly side: Side;
  readonly packet: Packet;
  /** Where the policies of a host endpoint are asked; pods have the normal place alone. */
  readonly place?: Place;
}

export type Place = 'normal' | 'forward' | 'untracked' | 'preDNAT';

/** In no particular order. */
export function policiesAsked(question: Question): Asked[] {
  const {
    networkPolicies,
    calicoPolicies = [],
    globalPolicies = [],
    clusterPolicies = [],
  } = question.cluster;
  return [
    ...networkPolicies.flatMap((policy) => askKubernetes(policy, question)),
    ...[...calicoPolicies, ...globalPolicies].flatMap((policy) => askCalico(policy, question)),
    ...clusterPolicies.flatMap((policy) => askCluster(policy, question)),
  ];
}

function askKubernetes(policy: KubernetesNetworkPolicy, { entities, pod, side, packet }: Question): Asked[] {
  const { metadata, spec = {}, kind } = policy;
  const { podSelector = {} } = spec;
  const isSelected =
    metadata.namespace === pod.namespace &&
    (!isReadableSelector(podSelector) || selects(podSelector, pod.allLabels));
  if (!isSelected || !directionsOf(policy).includes(side)) return [];
  return [
    {
      tier: 'default',
      order: 1000,
      sortName: `${metadata.name}/${metadata.namespace}/KubernetesNetworkPolicy`,
      name: `${kind === 'NetworkPolicy' ? 'policy' : kind} "${metadata.namespace}/${metadata.name}"`,
      decide: () => {
        const index = (spec[side] ?? []).findIndex(
          (rule) =>
            isReadableKubernetesRule(rule, side) &&
            kubernetesRuleHolds(rule, metadata.namespace, side, packet, entities),
        );
        return index < 0 ? undefined : { decision: 'Allow', rule: `spec.${side}[${index}]` };
      },
    },
  ];
}

function askCalico(
  policy: NetworkPolicy | GlobalNetworkPolicy,
  { cluster, entities, pod, side, packet, place = 'normal' }: Question,
): Asked[] {
  const { metadata, spec, kind } = policy;
  if (!isAskedIn(place, policy) || !sidesOf(policy).includes(side) || !isAbout(policy, pod)) return [];
  return [
    {
      tier: spec.tier || 'default',
      order: spec.order ?? Number.POSITIVE_INFINITY,
      // A draft stands where its policy would.
      sortName: `${metadata.name}/${metadata.namespace ?? ''}/${kind.replace(/^Staged/, '')}`,
      name: `${kind} "${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}"`,
      decide: () => {
        for (const [index, rule] of (spec[side] ?? []).entries()) {
          if (rule.action === 'Log') continue;
          const name = `spec.${side}[${index}]`;
          // What is not understood allows nothing, and denies whole what it would have denied or passed on in part.
          if (!isReadable(rule, metadata.namespace)) {
            if (rule.action === 'Allow') continue;
            return { decision: 'Deny', rule: name };
          }
          if (ruleHolds(rule, metadata.namespace, packet, entities, cluster.endpointSlices ?? []))
            return { decision: rule.action, rule: name };
        }
        return undefined;
      },
    },
  ];
}

/** Early policies have one place each; the others the normal one and, if they say so, that of what is forwarded. */
function isAskedIn(place: Place, { spec }: NetworkPolicy | GlobalNetworkPolicy): boolean {
  const { doNotTrack, preDNAT, applyOnForward } = spec as GlobalNetworkPolicy['spec'];
  if (doNotTrack) return place === 'untracked';
  if (preDNAT) return place === 'preDNAT';
  return place === 'normal' || (place === 'forward' && applyOnForward === true);
}

function askCluster(
  { metadata, spec }: ClusterNetworkPolicy,
  { entities, pod, side, packet }: Question,
): Asked[] {
  // For whom it is when it does not say so: for all, but to accept.
  const isForAll = !isReadableSubject(spec.subject);
  const isMeant = isForAll ? pod.kind === 'pod' : isSubject(spec.subject, pod);
  if (!spec[side]?.length || !isMeant) return [];
  return [
    {
      tier: spec.tier === 'Baseline' ? 'kube-baseline' : 'kube-admin',
      order: spec.priority,
      sortName: `${metadata.name}//KubernetesClusterNetworkPolicy`,
      name: `ClusterNetworkPolicy "${metadata.name}"`,
      decide: () => {
        for (const [index, rule] of (spec[side] ?? []).entries()) {
          const name = `spec.${side}[${index}]`;
          // What needs to know whom it names to accept does not, and anything else denies.
          if (!isReadableClusterRule(rule, side)) {
            if (rule.action === 'Accept') continue;
            return { decision: 'Deny', rule: name };
          }
          if (!clusterRuleHolds(rule, side, packet, entities)) continue;
          if (isForAll && rule.action === 'Accept') continue;
          if (isForAll) return { decision: 'Deny', rule: name };
          return { decision: rule.action === 'Accept' ? 'Allow' : rule.action, rule: name };
        }
        return undefined;
      },
    },
  ];
}
