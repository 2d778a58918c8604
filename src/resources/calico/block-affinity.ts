// BlockAffinity: a node's claim on an IPAM block. The claim is "pending" before the block exists and "confirmed" after.
import type { Static } from 'typebox';
import { boolean, object, oneOf, optional, string } from '../field.ts';
import type { Resource } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';
import { blockRangeFlaw } from './ip-range-flaws.ts';

const spec = object({
  state: oneOf(['', 'confirmed', 'pending', 'pendingDeletion'], {
    description: 'Phase of the claim: only a confirmed one may be routed.',
  }),
  node: string({ description: 'Who claims: a node, or a virtual owner such as load-balancer.' }),
  type: optional(string({ description: 'What `node` names: "host" or "virtual".' })),
  cidr: string({ format: 'cidr', description: 'The block.' }),
  deleted: boolean({
    default: false,
    description: 'Set on the way to deletion, so that racing writers lose.',
  }),
});

export interface BlockAffinity extends Resource {
  spec: Static<typeof spec>;
}

export const blockAffinities = calicoKind<BlockAffinity>({
  kind: 'BlockAffinity',
  plural: 'blockaffinities',
  description: "A node's claim on an IPAMBlock. Written by Calico itself.",
  shortNames: ['affinity', 'affinities'],
  columns: [
    { name: 'CIDR', jsonPath: '.spec.cidr' },
    { name: 'Node', jsonPath: '.spec.node' },
    { name: 'Type', jsonPath: '.spec.type' },
  ],
  flaw: blockRangeFlaw,
  spec,
});
