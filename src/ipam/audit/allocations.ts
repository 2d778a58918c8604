// The assigned addresses of blocks, one by one.
import { formatAddress } from '../../net/index.ts';
import type { IPAMBlock } from '../../resources/index.ts';
import { addressOf, holderOf, isCooling } from '../block.ts';

/** One assigned address. Together, handle and sequence number tell it from a later assignment of the same address. */
export interface Allocation {
  readonly address: string;
  /** CIDR of its block. */
  readonly block: string;
  readonly handle?: string;
  readonly sequenceNumber?: number;
  /** Facts about the owner: pod, namespace, node, type, ... */
  readonly attributes: Readonly<Record<string, string>>;
}

/** In the order of addresses; addresses that cool down after a release are not among them. */
export function allocationsOf({ spec }: IPAMBlock): Allocation[] {
  const allocations: Allocation[] = [];
  for (const [ordinal, index] of spec.allocations.entries()) {
    if (index === null || isCooling(spec, ordinal)) continue;
    const holder = holderOf(spec, ordinal);
    const sequenceNumber = spec.sequenceNumberForAllocation?.[String(ordinal)];
    allocations.push({
      address: formatAddress(addressOf(spec, ordinal)),
      block: spec.cidr,
      ...(holder?.handle_id !== undefined && { handle: holder.handle_id }),
      ...(sequenceNumber !== undefined && { sequenceNumber }),
      attributes: holder?.secondary ?? {},
    });
  }
  return allocations;
}
