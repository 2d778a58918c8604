// IPAMConfiguration: cluster-wide rules of address management. There is one, named "default".
import type { Static } from 'typebox';
import { boolean, integer, object, oneOf, optional, ruleFor } from '../field.ts';
import type { Resource } from '../resource.ts';
import { calicoKind, namedDefault } from './calico-kind.ts';

/** A node that may neither claim a block nor borrow from one has no addresses at all. */
const someSource = ruleFor<{ strictAffinity: boolean; autoAllocateBlocks: boolean }>(
  'self.strictAffinity || self.autoAllocateBlocks',
  'cannot have both strictAffinity and autoAllocateBlocks false',
  ({ strictAffinity, autoAllocateBlocks }) => strictAffinity || autoAllocateBlocks,
);

const spec = object(
  {
    strictAffinity: boolean({
      default: false,
      description: 'Whether a node keeps to its own blocks instead of borrowing single addresses of others.',
    }),
    autoAllocateBlocks: boolean({ default: true, description: 'Whether a node may claim blocks by itself.' }),
    maxBlocksPerHost: optional(
      integer({
        default: 0,
        minimum: 0,
        maximum: 1000000,
        format: 'int32',
        description: 'How many blocks a node may claim; 0 means 20.',
      }),
    ),
    ipCooldownSeconds: optional(
      integer({
        minimum: 0,
        maximum: 1200,
        format: 'int32',
        description: 'How long a released address rests before it is handed out again.',
      }),
    ),
    kubeVirtVMAddressPersistence: optional(
      oneOf(['Enabled', 'Disabled'], {
        description: 'Whether a virtual machine keeps its address when it restarts or migrates.',
      }),
    ),
  },
  { 'x-kubernetes-validations': [someSource] },
);

export interface IPAMConfiguration extends Resource {
  spec: Static<typeof spec>;
}

export const ipamConfigurations = calicoKind<IPAMConfiguration>({
  kind: 'IPAMConfiguration',
  plural: 'ipamconfigurations',
  description: 'Rules of address management for the whole cluster.',
  shortNames: ['ipamconfig', 'ipamconfigs'],
  columns: [
    { name: 'StrictAffinity', type: 'boolean', jsonPath: '.spec.strictAffinity' },
    { name: 'MaxBlocksPerHost', type: 'integer', jsonPath: '.spec.maxBlocksPerHost' },
    { name: 'AutoAllocateBlocks', type: 'boolean', jsonPath: '.spec.autoAllocateBlocks' },
  ],
  rules: [namedDefault],
  example: {
    metadata: { name: 'default' },
    spec: { strictAffinity: false, autoAllocateBlocks: true, maxBlocksPerHost: 0, ipCooldownSeconds: 60 },
  },
  spec,
});
