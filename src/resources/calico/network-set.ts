// NetworkSet: networks under a name and labels, for the policies of one namespace.
import type { Static } from 'typebox';
import type { Resource } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';
import { forgedNamespace, networkSetSpec } from './network-set-spec.ts';

export interface NetworkSet extends Resource {
  spec: Static<typeof networkSetSpec>;
}

export const networkSets = calicoKind<NetworkSet>({
  kind: 'NetworkSet',
  plural: 'networksets',
  description: 'Networks under a name and labels, for the policies of one namespace to select.',
  namespaced: true,
  aliases: ['netset', 'netsets'],
  check: forgedNamespace,
  example: {
    metadata: { name: 'partners', namespace: 'shop', labels: { role: 'partner' } },
    spec: { nets: ['198.51.100.0/28', '203.0.113.10'] },
  },
  spec: networkSetSpec,
});
