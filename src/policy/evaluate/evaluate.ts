// What a cluster's objects say about one packet, and why. Written to be read beside the documentation: it works from the
// objects as users wrote them and shares no matching with the rule tree or its compilers, which are tested against it.

import { type Asked, policiesAsked, type Question } from './asked.ts';
import type { Cluster, Packet, Verdict } from './cluster.ts';
import { type Entity, entitiesOf } from './entity.ts';
import { withDraftsInForce } from './pending.ts';
import { tiersOf } from './tiers.ts';

/** Staged policies decide nothing; where the cluster has any, `pending` says what would be if they did. */
export function evaluate(cluster: Cluster, packet: Packet): Verdict {
  return evaluatorOf(cluster)(packet);
}

/** For many packets of one cluster, whose objects may not change meanwhile. */
export function evaluatorOf(cluster: Cluster): (packet: Packet) => Verdict {
  const entities = entitiesOf(cluster);
  if (!cluster.stagedPolicies?.length) return (packet) => evaluateInForce(cluster, entities, packet);
  const drafted = withDraftsInForce(cluster);
  return (packet) => ({
    ...evaluateInForce(cluster, entities, packet),
    pending: evaluateInForce(drafted, entities, packet),
  });
}

function evaluateInForce(cluster: Cluster, entities: readonly Entity[], packet: Packet): Verdict {
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
    const { allowed, reason } = judge({ cluster, entities, pod, side, packet });
    reasons.push(reason);
    if (!allowed) return { action: 'Deny', reasons };
  }
  return { action: 'Allow', reasons };
}

/** Tier by tier: the first rule that decides, or the tier's own default where policies of it were asked; then the namespace's profile. */
function judge(question: Question): { allowed: boolean; reason: string } {
  const { cluster, pod, side } = question;
  const asked = policiesAsked(question);
  for (const tier of tiersOf(cluster, new Set(asked.map(({ tier }) => tier)))) {
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
  // A namespace's profile allows everything; a service account's has labels, and no rules.
  if (Object.keys(pod.namespaceLabels).length === 0) {
    return { allowed: false, reason: `The namespace of "${pod.name}" is not known, and so no profile of it` };
  }
  const which =
    asked.length === 0
      ? `No policy selects "${pod.name}" for ${side}`
      : `No tier decides about ${side} of "${pod.name}"`;
  return { allowed: true, reason: `${which}; profile "kns.${pod.namespace}" allows it` };
}

function compare(a: Asked, b: Asked): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return a.sortName < b.sortName ? -1 : 1;
}
