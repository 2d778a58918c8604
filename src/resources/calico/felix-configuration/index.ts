// FelixConfiguration: settings of the agent, for all nodes ("default"), one node ("node.NAME") or the nodes that a
// selector names. What an absent field means is for src/felix to say: environment and file come in between.
import type { Static } from 'typebox';
import { object, optional, type Rule, string } from '../../field.ts';
import type { Resource } from '../../resource.ts';
import { calicoKind } from '../calico-kind.ts';
import { bpf } from './bpf.ts';
import { dataplane } from './dataplane.ts';
import { overlay } from './overlay.ts';
import { process } from './process.ts';
import { tables } from './tables.ts';

const oneRangeField: Rule = {
  rule: '!has(self.routeTableRange) || !has(self.routeTableRanges)',
  message: 'cannot have both routeTableRange and routeTableRanges',
  holds: (value) => {
    const { routeTableRange, routeTableRanges } = value as FelixConfigurationSpec;
    return routeTableRange === undefined || routeTableRanges === undefined;
  },
};

const spec = object(
  {
    nodeSelector: optional(
      string({
        maxLength: 1024,
        description: 'The nodes that this object is for, when its name does not say.',
      }),
    ),
    ...process,
    ...dataplane,
    ...overlay,
    ...tables,
    ...bpf,
  },
  { 'x-kubernetes-validations': [oneRangeField] },
);

type FelixConfigurationSpec = Static<typeof spec>;

export interface FelixConfiguration extends Resource {
  spec: FelixConfigurationSpec;
}

export const felixConfigurations = calicoKind<FelixConfiguration>({
  kind: 'FelixConfiguration',
  plural: 'felixconfigurations',
  spec,
});
