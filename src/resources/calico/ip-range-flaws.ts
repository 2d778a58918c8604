// What readers of address management take for granted of its objects, and no type says: that a range is one, and that the parts
// of a block belong together.
import { type Cidr, cidrSize, formatCidr, tryParseCidr } from '../../net/index.ts';
import { leastBlockSize } from './ip-pool-rules.ts';

/** For an object whose `spec.cidr` is its range. */
export function rangeFlaw({ spec }: { readonly spec: { readonly cidr: string } }): string | undefined {
  return tryParseCidr(spec.cidr) ? undefined : `spec.cidr must be a CIDR, not "${spec.cidr}"`;
}

/** For an object whose `spec.cidr` is a block. */
export function blockRangeFlaw({ spec }: { readonly spec: { readonly cidr: string } }): string | undefined {
  const cidr = tryParseCidr(spec.cidr);
  if (!cidr) return rangeFlaw({ spec });
  if (isBlockSized(cidr)) return undefined;
  const { family } = cidr;
  return `spec.cidr must be a block, which is a /${leastBlockSize[family]} or smaller, not "${spec.cidr}"`;
}

/** What the object of a block is called: "10-0-0-64-26". */
export function blockName(cidr: Cidr): string {
  return formatCidr(cidr).replaceAll(/[.:/]/g, '-');
}

/** The block whose object is called so; undefined when none is. */
export function blockNamed(name: string): Cidr | undefined {
  const [, address = '', length = ''] = /^(.+)-(\d+)$/.exec(name) ?? [];
  const texts = ['.', ':'].map((separator) => `${address.replaceAll('-', separator)}/${length}`);
  return texts.flatMap((text) => tryParseCidr(text) ?? []).find((cidr) => blockName(cidr) === name);
}

/** Whether a range is of a size that pools may cut blocks of. */
export function isBlockSized({ family, length }: Cidr): boolean {
  return length >= leastBlockSize[family];
}

export function blockFlaw(block: {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly cidr: string;
    readonly allocations: readonly (number | null)[];
    readonly unallocated: readonly number[];
    readonly attributes: readonly object[];
  };
}): string | undefined {
  const { cidr: text, allocations, unallocated, attributes } = block.spec;
  const cidr = tryParseCidr(text);
  if (!cidr || !isBlockSized(cidr)) return blockRangeFlaw(block);
  // A second object for the same range would hand out each of its addresses a second time.
  const name = blockName(cidr);
  if (block.metadata.name !== name) return `metadata.name must be "${name}" for the block ${text}`;
  const size = cidrSize(cidr);
  if (BigInt(allocations.length) !== size)
    return `spec.allocations must have one entry for each of the ${size} addresses of ${text}, not ${allocations.length}`;
  const isHeld = (index: number | null) => index === null || attributes[index] !== undefined;
  if (!allocations.every(isHeld)) return 'spec.allocations must point into spec.attributes';
  if (unallocated.every((ordinal) => allocations[ordinal] === null)) return undefined;
  return 'spec.unallocated must be of addresses that are free';
}

/** For a handle, whose keys are blocks. */
export function handleFlaw({
  spec,
}: {
  readonly spec: { readonly block: Readonly<Record<string, number>> };
}): string | undefined {
  const wrong = Object.keys(spec.block).find((text) => !tryParseCidr(text));
  return wrong === undefined ? undefined : `spec.block must have CIDRs for keys, not "${wrong}"`;
}
