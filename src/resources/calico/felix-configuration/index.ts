// FelixConfiguration: settings of the agent, for all nodes ("default"), one node ("node.NAME") or the nodes that a
// selector names. What an absent field means is for src/felix to say: environment and file come in between.
import type { Static } from 'typebox';
import { object, optional, type Rule, ruleFor, string } from '../../field.ts';
import type { Resource } from '../../resource.ts';
import { calicoKind } from '../calico-kind.ts';
import { selectorFault } from '../selector-field.ts';
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

/** The name of an object may say which nodes it is for; a selector beside that could only contradict it. */
const selectorOrName = ruleFor<FelixConfiguration>(
  "!has(self.spec.nodeSelector) || self.metadata.name != 'default' && !self.metadata.name.startsWith('node.')",
  'cannot have a nodeSelector when it is named "default" or "node.NAME"',
  ({ metadata: { name }, spec: { nodeSelector } }) =>
    nodeSelector === undefined || (name !== 'default' && !name.startsWith('node.')),
);

const spec = object(
  {
    nodeSelector: optional(
      string({
        maxLength: 1024,
        check: selectorFault,
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
  description:
    'How the agent on the nodes works: "default" for the cluster, "node.NAME" for one node, or for the nodes that `nodeSelector` selects.',
  aliases: ['felixconfig', 'felixconfigs'],
  rules: [selectorOrName],
  example: {
    metadata: { name: 'default' },
    spec: { logSeverityScreen: 'Info', reportingInterval: '0s', wireguardEnabled: true },
  },
  spec,
});
