// IPPool: a range of addresses, who may draw from it, and how packets between its addresses travel.
// The rules about several fields stand in ip-pool-rules.ts.
import type { Static } from 'typebox';
import { bitsOf, parseCidr } from '../../net/index.ts';
import { arrayOf, boolean, conditions, integer, object, oneOf, optional, string } from '../field.ts';
import type { Resource } from '../resource.ts';
import { ageColumn, calicoKind } from './calico-kind.ts';
import { immutable, ipPoolRules, leastBlockSize } from './ip-pool-rules.ts';
import { rangeFlaw } from './ip-range-flaws.ts';
import { selectorFault } from './selector-field.ts';

const encapsulation = ['Never', 'Always', 'CrossSubnet'] as const;

const spec = object(
  {
    cidr: string({
      maxLength: 48,
      format: 'cidr',
      'x-kubernetes-validations': [immutable],
      description: 'The range.',
    }),
    vxlanMode: optional(oneOf(encapsulation, { description: 'When packets are wrapped in VXLAN.' })),
    ipipMode: optional(oneOf(encapsulation, { description: 'When packets are wrapped in IP-in-IP.' })),
    natOutgoing: optional(
      boolean({ description: "Whether packets to outside of all pools leave under the node's address." }),
    ),
    disabled: optional(boolean({ description: 'Whether no new address is drawn from the pool.' })),
    disableBGPExport: optional(boolean({ description: 'Whether BGP keeps quiet about the pool.' })),
    blockSize: optional(
      integer({
        minimum: 0,
        maximum: 128,
        'x-kubernetes-validations': [immutable],
        description:
          'Prefix length of the blocks that nodes claim; 26 for IPv4 and 122 for IPv6 when absent.',
      }),
    ),
    nodeSelector: optional(
      string({
        default: 'all()',
        maxLength: 1024,
        check: selectorFault,
        description: 'The nodes that may draw from the pool.',
      }),
    ),
    namespaceSelector: optional(
      string({
        maxLength: 1024,
        check: selectorFault,
        description: 'The namespaces whose pods may draw from the pool; all when absent.',
      }),
    ),
    allowedUses: optional(
      arrayOf(oneOf(['Workload', 'Tunnel', 'LoadBalancer']), {
        maxItems: 10,
        'x-kubernetes-list-type': 'set',
        description: 'What addresses may be drawn for; workloads and tunnels when absent.',
      }),
    ),
    assignmentMode: optional(
      oneOf(['Automatic', 'Manual'], {
        default: 'Automatic',
        description: 'Whether the pool serves everybody, or only who asks for it by name.',
      }),
    ),
  },
  { 'x-kubernetes-validations': ipPoolRules },
);

const status = object({ conditions: optional(conditions()) });

export type IPPoolSpec = Static<typeof spec>;

export interface IPPool extends Resource {
  spec: IPPoolSpec;
  status?: Static<typeof status>;
}

export const ipPools = calicoKind<IPPool>({
  kind: 'IPPool',
  plural: 'ippools',
  description: 'A range of addresses, who may draw from it, and how packets between its addresses travel.',
  aliases: ['ipp', 'ipps', 'pool', 'pools'],
  columns: [
    { name: 'CIDR', jsonPath: '.spec.cidr' },
    { name: 'VXLAN', jsonPath: '.spec.vxlanMode' },
    { name: 'IPIP', jsonPath: '.spec.ipipMode' },
    { name: 'NAT', type: 'boolean', jsonPath: '.spec.natOutgoing' },
    { name: 'Allocatable', jsonPath: ".status.conditions[?(@.type=='Allocatable')].status" },
    ageColumn,
  ],
  example: {
    metadata: { name: 'pods' },
    spec: { cidr: '192.168.0.0/16', blockSize: 26, vxlanMode: 'CrossSubnet', natOutgoing: true },
  },
  flaw: (pool) => rangeFlaw(pool) ?? blockSizeFlaw(pool.spec),
  spec,
  status,
});

/** Whoever claims a block lists its addresses one by one, so that larger ones than the API takes would stop him for good. */
function blockSizeFlaw(pool: IPPoolSpec): string | undefined {
  const { family, length } = parseCidr(pool.cidr);
  const blockSize = blockSizeOf(pool);
  const least = Math.max(length, leastBlockSize[family]);
  if (least <= blockSize && blockSize <= bitsOf(family)) return undefined;
  return `spec.blockSize must be from ${least} to ${bitsOf(family)}, not ${blockSize}`;
}

/** Prefix length of a pool's blocks, with the family's default. */
export function blockSizeOf(pool: { readonly cidr: string; readonly blockSize?: number }): number {
  return pool.blockSize ?? (pool.cidr.includes(':') ? 122 : 26);
}
