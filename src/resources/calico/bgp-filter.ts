// BGPFilter: which routes a BGPPeer takes and gives. The first rule that matches decides; then Calico's own filters do.
import type { Static } from 'typebox';
import { arrayOf, object, optional } from '../field.ts';
import type { Resource } from '../resource.ts';
import { filterRule } from './bgp/filter-rule.ts';
import { calicoKind } from './calico-kind.ts';

function rules(family: 4 | 6, description: string) {
  const bounds = family === 4 ? { maxLength: 18, bits: 32 } : { maxLength: 43, bits: 128 };
  return optional(arrayOf(filterRule(family, bounds), { 'x-kubernetes-list-type': 'atomic', description }));
}

const spec = object({
  exportV4: rules(4, 'Rules for IPv4 routes that we advertise.'),
  importV4: rules(4, 'Rules for IPv4 routes that the peer advertises.'),
  exportV6: rules(6, 'Rules for IPv6 routes that we advertise.'),
  importV6: rules(6, 'Rules for IPv6 routes that the peer advertises.'),
});

export interface BGPFilter extends Resource {
  spec: Static<typeof spec>;
}

export const bgpFilters = calicoKind<BGPFilter>({
  kind: 'BGPFilter',
  plural: 'bgpfilters',
  description:
    "Which routes a BGPPeer takes and gives. The first rule that matches a route decides; then Calico's own filters do.",
  example: {
    metadata: { name: 'no-defaults' },
    spec: {
      importV4: [{ action: 'Reject', cidr: '0.0.0.0/0', matchOperator: 'Equal' }],
      importV6: [{ action: 'Reject', cidr: '::/0', matchOperator: 'Equal' }],
    },
  },
  spec,
});
