// Calico's NetworkPolicy and GlobalNetworkPolicy as policies of the rule tree.
import {
  type GlobalNetworkPolicy,
  type NetworkPolicy,
  type PolicyRule,
  typesOf,
} from '../../resources/index.ts';
import { all } from '../../selector/index.ts';
import type { ConvertedPolicy } from '../converted-policy.ts';
import { bothDirections, knownDirections } from '../directions.ts';
import { defaultTier, type HostStage, type Policy, type PolicyKind, type Rule } from '../model.ts';
import { Parts } from '../parts.ts';
import { readRule } from './rule.ts';
import { scopeSelector } from './scope.ts';

/** Never throws. A rule that cannot be understood denies everything, unless it would have allowed: then it is left out. */
export function fromCalicoNetworkPolicy(object: NetworkPolicy): ConvertedPolicy {
  return convert('NetworkPolicy', object, object.metadata.namespace ?? 'default');
}

export function fromGlobalNetworkPolicy(object: GlobalNetworkPolicy): ConvertedPolicy {
  return convert('GlobalNetworkPolicy', object, undefined);
}

function convert(
  kind: PolicyKind,
  { metadata, spec }: NetworkPolicy | GlobalNetworkPolicy,
  namespace: string | undefined,
): ConvertedPolicy {
  const parts = new Parts();
  const rules = (path: string, list: readonly PolicyRule[] | undefined) =>
    (list ?? []).flatMap((rule, index) =>
      parts.attempt(
        `${path}[${index}]`,
        () => readRule(rule, namespace, `${path}[${index}]`),
        closed(rule, `${path}[${index}]`),
      ),
    );
  const selector = parts.attempt(
    'spec.selector',
    () =>
      scopeSelector({
        namespace,
        selector: spec.selector,
        ...('namespaceSelector' in spec && { namespaceSelector: spec.namespaceSelector }),
        ...(spec.serviceAccountSelector && { serviceAccounts: { selector: spec.serviceAccountSelector } }),
      }),
    // Whom it was meant for is not known: all whom it could mean are closed by its rules.
    namespace === undefined ? all : scopeSelector({ namespace }),
  );
  const stage = parts.attempt('spec', () => stageOf(spec), 'untracked');
  // What arrives is all that can be judged before its destination is translated.
  const types =
    stage === 'preDNAT'
      ? ['Ingress']
      : parts.attempt('spec.types', () => knownDirections(typesOf(spec)), bothDirections);
  const policy: Policy = {
    id: { kind, ...(namespace !== undefined && { namespace }), name: metadata.name },
    tier: spec.tier || defaultTier.name,
    order: spec.order,
    selector,
    ...(types.includes('Ingress') && { ingress: rules('spec.ingress', spec.ingress) }),
    ...(types.includes('Egress') && { egress: rules('spec.egress', spec.egress) }),
    ...(stage && { stage }),
    ...('applyOnForward' in spec && spec.applyOnForward && { forward: true }),
  };
  return { policy, faults: parts.faults };
}

/** @throws RangeError for a policy that is to be in two places at once */
function stageOf(spec: NetworkPolicy['spec'] | GlobalNetworkPolicy['spec']): HostStage | undefined {
  const { doNotTrack, preDNAT } = { doNotTrack: false, preDNAT: false, ...spec };
  if (doNotTrack && preDNAT) throw new RangeError('doNotTrack and preDNAT exclude each other');
  if (doNotTrack) return 'untracked';
  return preDNAT ? 'preDNAT' : undefined;
}

function closed({ action }: PolicyRule, origin: string): Rule[] {
  return action === 'Allow' || action === 'Log' ? [] : [{ action: 'Deny', match: {}, origin }];
}
