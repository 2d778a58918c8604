// What NetworkSet and GlobalNetworkSet share: networks that rules select by the labels of the set.
import { object, optional } from '../field.ts';
import type { Resource } from '../resource.ts';
import { networks } from './net-fields.ts';

export const networkSetSpec = object({
  nets: optional(networks({ description: 'CIDRs and single addresses, IPv4 and IPv6 as you like.' })),
});

/** The label that says whose namespace a thing is; on a set it would forge that. CEL does not see labels. */
export function forgedNamespace(object: Resource): string | undefined {
  return object.metadata.labels?.['projectcalico.org/namespace'] === undefined
    ? undefined
    : 'cannot carry the label projectcalico.org/namespace, which Calico sets itself';
}
