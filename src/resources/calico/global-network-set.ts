// GlobalNetworkSet: networks under a name and labels, for the policies of the whole cluster.
import type { Static } from 'typebox';
import type { Resource } from '../resource.ts';
import { ageColumn, calicoKind } from './calico-kind.ts';
import { forgedNamespace, networkSetSpec } from './network-set-spec.ts';

export interface GlobalNetworkSet extends Resource {
  spec: Static<typeof networkSetSpec>;
}

export const globalNetworkSets = calicoKind<GlobalNetworkSet>({
  kind: 'GlobalNetworkSet',
  plural: 'globalnetworksets',
  description: 'Networks under a name and labels, for the policies of the whole cluster to select.',
  shortNames: ['gns'],
  columns: [ageColumn],
  check: forgedNamespace,
  example: {
    metadata: { name: 'blocked', labels: { reputation: 'bad' } },
    spec: { nets: ['198.51.100.0/24', '2001:db8:bad::/48'] },
  },
  spec: networkSetSpec,
});
