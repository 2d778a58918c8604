// IPAMConfiguration: cluster-wide rules of address management. There is one, named "default".
import type { Static } from 'typebox';
import { boolean, integer, object, oneOf, optional, ruleFor } from '../field.ts';
import { fieldsOf, soundPart } from '../misfit.ts';
import type { Resource, Salvage } from '../resource.ts';
import { calicoKind, namedDefault } from './calico-kind.ts';

/** A node that may neither claim a block nor borrow from one has no addresses at all. */
const someSource = ruleFor<{ strictAffinity: boolean; autoAllocateBlocks: boolean }>(
  'self.strictAffinity || self.autoAllocateBlocks',
  'cannot have both strictAffinity and autoAllocateBlocks false',
  ({ strictAffinity, autoAllocateBlocks }) => strictAffinity || autoAllocateBlocks,
);

const longestCooldownSeconds = 1200;

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
        maximum: longestCooldownSeconds,
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
  salvage,
  spec,
});

/**
 * What each setting counts as while it cannot be read: whatever it says, nothing is done then that it may forbid. A pod that gets no
 * address for that gets one as soon as the setting can be read; a block that was claimed, an address that was borrowed or handed
 * out too soon would stay so. A virtual machine keeps its address where nothing is said, which is the safer of the two.
 */
const strictest = {
  strictAffinity: true,
  autoAllocateBlocks: false,
  maxBlocksPerHost: 1,
  ipCooldownSeconds: longestCooldownSeconds,
};

/** Each setting by itself, so that those that can be read go on as they are. */
function salvage(object: Resource): Salvage<IPAMConfiguration> {
  const fields = fieldsOf(object);
  const unreadable: string[] = [];
  const read = <K extends keyof typeof strictest>(name: K, isSound: (value: unknown) => boolean) => {
    const value = fields ? fields[name] : null;
    if (value === undefined) return undefined;
    if (isSound(value)) return value as (typeof strictest)[K];
    unreadable.push(`${name} counts as ${strictest[name]}`);
    return strictest[name];
  };
  const isBoolean = (value: unknown) => typeof value === 'boolean';
  const autoAllocateBlocks = read('autoAllocateBlocks', isBoolean) ?? true;
  const strictAffinity = read('strictAffinity', isBoolean) ?? false;
  const maxBlocksPerHost = read('maxBlocksPerHost', Number.isInteger);
  const ipCooldownSeconds = read('ipCooldownSeconds', Number.isInteger);
  const persistence = fields?.kubeVirtVMAddressPersistence;
  return {
    object: {
      ...soundPart(ipamConfigurations, object),
      spec: {
        // Both false is no configuration.
        strictAffinity: strictAffinity || !autoAllocateBlocks,
        autoAllocateBlocks,
        ...(maxBlocksPerHost !== undefined && { maxBlocksPerHost }),
        ...(ipCooldownSeconds !== undefined && { ipCooldownSeconds }),
        ...((persistence === 'Enabled' || persistence === 'Disabled') && {
          kubeVirtVMAddressPersistence: persistence,
        }),
      },
    },
    how: [...unreadable, 'what else it says holds'].join(', '),
  };
}
