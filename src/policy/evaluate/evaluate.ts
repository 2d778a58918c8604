// What a cluster's objects say about one packet, and why. Written to be read beside the documentation: it works from the
// objects as users wrote them and shares no matching with the rule tree or its compilers, which are tested against it.

import { policiesAsked, type Question } from './asked.ts';
import type { Cluster, Packet, Verdict } from './cluster.ts';
import { decideByTiers } from './decide.ts';
import { type Entity, entitiesOf } from './entity.ts';
import { judgeCrossing } from './host.ts';
import { withDraftsInForce } from './pending.ts';

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
  for (const crossing of packet.crossings ?? []) {
    const crossed = { ...packet, source: crossing.source ?? packet.source };
    const { allowed, reason } = judgeCrossing({ cluster, entities, packet: crossed }, crossing);
    if (reason) reasons.push(reason);
    if (!allowed) return { action: 'Deny', reasons };
  }
  const source = packet.crossings?.findLast((crossing) => crossing.source)?.source ?? packet.source;
  for (const [pod, side, seen] of [
    [sender, 'egress', packet],
    [receiver, 'ingress', { ...packet, source }],
  ] as const) {
    if (!pod) continue;
    // A node always reaches its own pods, its probes above all.
    if (side === 'ingress' && isToOwnPod(packet)) continue;
    const { allowed, reason } = judge({ cluster, entities, pod, side, packet: seen });
    reasons.push(reason);
    if (!allowed) return { action: 'Deny', reasons };
  }
  return { action: 'Allow', reasons };
}

function isToOwnPod({ crossings }: Packet): boolean {
  const last = crossings?.at(-1);
  return last?.in === undefined && (last?.out?.startsWith('cali') ?? false);
}

/** Its tiers, and then the profile of its namespace. */
function judge(question: Question): { allowed: boolean; reason: string } {
  const { pod, side } = question;
  const decided = decideByTiers(question);
  if (decided) return decided;
  // A namespace's profile allows everything; a service account's has labels, and no rules.
  if (Object.keys(pod.namespaceLabels).length === 0) {
    return { allowed: false, reason: `The namespace of "${pod.name}" is not known, and so no profile of it` };
  }
  const which =
    policiesAsked(question).length === 0
      ? `No policy selects "${pod.name}" for ${side}`
      : `No tier decides about ${side} of "${pod.name}"`;
  return { allowed: true, reason: `${which}; profile "kns.${pod.namespace}" allows it` };
}
