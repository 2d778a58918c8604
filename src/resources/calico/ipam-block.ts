// IPAMBlock: which addresses of a block are taken, by whom, and in which order the free ones will be handed out.
// Address n of the block is ordinal n. What the fields mean together is kept by src/ipam.
import type { Static } from 'typebox';
import { arrayOf, boolean, integer, mapOf, nullableInteger, object, optional, string } from '../field.ts';
import type { Resource } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';
import { blockFlaw } from './ip-range-flaws.ts';

const attribute = object({
  handle_id: optional(string({ description: 'The handle that the addresses were assigned under.' })),
  secondary: optional(mapOf(string(), { description: 'Facts about the owner: pod, namespace, node, ...' })),
  alternateOwnerAttrs: optional(
    mapOf(string(), { description: 'The owner that an address moves to or from.' }),
  ),
  releasedAt: optional(string({ format: 'date-time', description: 'Present while an address cools down.' })),
});

const spec = object({
  cidr: string({ format: 'cidr', description: 'The block.' }),
  affinity: optional(
    string({
      pattern: '^(host|virtual):[a-zA-Z0-9\\.\\-_]+$',
      patternMessage: 'must be "host:" or "virtual:" and a name',
      description: 'Whose block it is: "host:NODE" or "virtual:NAME".',
    }),
  ),
  affinityClaimTime: optional(string({ format: 'date-time', description: 'When it became theirs.' })),
  strictAffinity: boolean({ description: 'Kept for older readers; IPAMConfiguration decides.' }),
  allocations: arrayOf(nullableInteger(), {
    'x-kubernetes-list-type': 'atomic',
    description: 'Per ordinal: index into `attributes`, or null when the address is free.',
  }),
  unallocated: arrayOf(integer(), {
    'x-kubernetes-list-type': 'atomic',
    description: 'Free ordinals, the one to hand out next first.',
  }),
  attributes: arrayOf(attribute, {
    'x-kubernetes-list-type': 'atomic',
    description: 'Who holds addresses; `allocations` point here.',
  }),
  sequenceNumber: optional(
    integer({ default: 0, format: 'int64', description: 'Grows by one with every write of the block.' }),
  ),
  sequenceNumberForAllocation: optional(
    mapOf(integer({ format: 'int64' }), {
      description: 'Per taken ordinal, as text: the sequence number at which it was taken.',
    }),
  ),
  deleted: optional(boolean({ description: 'Set on the way to deletion, so that racing writers lose.' })),
});

export type AllocationAttribute = Static<typeof attribute>;

export interface IPAMBlock extends Resource {
  spec: Static<typeof spec>;
}

export const ipamBlocks = calicoKind<IPAMBlock>({
  kind: 'IPAMBlock',
  plural: 'ipamblocks',
  description: 'Which addresses of a block are taken, and by whom. Written by Calico itself.',
  columns: [
    { name: 'CIDR', jsonPath: '.spec.cidr' },
    { name: 'Affinity', jsonPath: '.spec.affinity' },
    { name: 'ClaimTime', jsonPath: '.spec.affinityClaimTime' },
  ],
  flaw: blockFlaw,
  spec,
});
