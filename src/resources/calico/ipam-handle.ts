// IPAMHandle: every block in which one owner holds addresses, so that all of them can be released without a search.
import type { Static } from 'typebox';
import { boolean, integer, mapOf, object, optional, string } from '../field.ts';
import type { Resource } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';
import { handleFlaw } from './ip-range-flaws.ts';

const spec = object({
  handleID: string({ description: 'The owner, spelled as it was given; the object name is lower case.' }),
  block: mapOf(integer(), {
    description: 'Per block CIDR: how many addresses. Never fewer than are assigned.',
  }),
  deleted: optional(boolean({ description: 'Set on the way to deletion, so that racing writers lose.' })),
});

export interface IPAMHandle extends Resource {
  spec: Static<typeof spec>;
}

export const ipamHandles = calicoKind<IPAMHandle>({
  kind: 'IPAMHandle',
  plural: 'ipamhandles',
  description: 'All blocks in which one owner holds addresses. Written by Calico itself.',
  columns: [{ name: 'ID', jsonPath: '.spec.handleID' }],
  flaw: handleFlaw,
  spec,
});
