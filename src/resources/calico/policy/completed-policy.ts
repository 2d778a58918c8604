// What a policy of a tier says where its author left it out: the directions that it is about, and the label by which those of
// its tier are found. Whoever writes or shows one fills it in, because not every API server does.
import { isObject } from '../../json-schema.ts';
import type { Resource } from '../../resource.ts';

/** Names the tier of a policy, for selectors of labels. */
export const tierLabel = 'projectcalico.org/tier';

/** Kinds of policies that are in a tier. */
export const tieredKinds: ReadonlySet<string> = new Set([
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedGlobalNetworkPolicy',
]);

const labelValue = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

type Directions = ('Ingress' | 'Egress')[];

/** Where a policy does not say its types, its rules do; one without rules is about ingress. */
export function typesOf({ types, ingress, egress }: PolicySpec): Directions {
  if (types?.length) return types;
  if (!egress?.length) return ['Ingress'];
  return ingress?.length ? ['Ingress', 'Egress'] : ['Egress'];
}

interface PolicySpec {
  readonly types?: Directions;
  readonly ingress?: readonly unknown[];
  readonly egress?: readonly unknown[];
}

/** As an API server fills it in when the object is written: a list that is there speaks for its direction, even an empty one. */
export function admittedPolicy<T extends Resource>(object: T): T {
  return completed(object, ({ ingress, egress }) => {
    if (egress === undefined) return ['Ingress'];
    return ingress === undefined ? ['Egress'] : ['Ingress', 'Egress'];
  });
}

/** A copy of a policy with types, and with the label of the tier that it is in; whatever else comes in comes out. Never throws. */
export function completedPolicy<T extends Resource>(object: T): T {
  return completed(object, typesOf);
}

/** Whether an object is a policy that can be completed: what has another shape is not for us to judge, nor to put right. */
export function isTieredPolicy<T extends Resource>(
  object: T,
): object is T & { spec: Record<string, unknown> } {
  const { spec } = object as T & { spec?: unknown };
  const isOfKind = object.apiVersion === 'projectcalico.org/v3' && tieredKinds.has(object.kind);
  return isOfKind && isObject(spec) && isObject(object.metadata.labels ?? {});
}

function completed<T extends Resource>(object: T, typesFor: (spec: PolicySpec) => Directions): T {
  if (!isTieredPolicy(object)) return object;
  const { spec } = object;
  const { labels = {} } = object.metadata;
  const { tier, types, stagedAction, ingress, egress } = spec;
  const isKnown = [ingress, egress].every((rules) => rules === undefined || Array.isArray(rules));
  // A draft that deletes says nothing but its tier.
  const isSilent = types === undefined && stagedAction !== 'Delete' && isKnown;
  const name = tier ? String(tier) : 'default';
  // A tier of another name there cannot be, and a label with it would keep the policy from being stored.
  const labelled = labelValue.test(name) && { labels: { ...labels, [tierLabel]: name } };
  return {
    ...object,
    metadata: { ...object.metadata, ...labelled },
    spec: { ...spec, ...(isSilent && { types: typesFor(spec as PolicySpec) }) },
  };
}
