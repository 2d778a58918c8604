// Blocks that are there and cannot be read. Nobody knows whom they assign addresses to, so nobody may take an address for free that
// one of them may hold, whatever else is done without them.
import {
  type Address,
  type Cidr,
  cidrContains,
  cidrsOverlap,
  formatCidr,
  tryParseCidr,
} from '../net/index.ts';
import { blockNamed, isBlockSized, type Resource } from '../resources/index.ts';

export interface UnreadableBlock {
  /** Of its object. */
  readonly name: string;
  /** What is wrong with it: 'spec.cidr is required'. */
  readonly fault: string;
  /** What it may assign addresses of, by its name and by its own word; nothing where neither is the range of a block. */
  readonly ranges: readonly Cidr[];
}

export function unreadableBlock(object: Resource, fault: string): UnreadableBlock {
  const { name } = object.metadata;
  const { spec } = object as { readonly spec?: { readonly cidr?: unknown } | null };
  const said = typeof spec?.cidr === 'string' ? tryParseCidr(spec.cidr) : undefined;
  const ranges = [blockNamed(name), said].filter((range) => range !== undefined).filter(isBlockSized);
  return { name, fault, ranges: [...new Map(ranges.map((range) => [formatCidr(range), range])).values()] };
}

/** The one that may assign an address. */
export function unreadableAround(
  blocks: readonly UnreadableBlock[],
  address: Address,
): UnreadableBlock | undefined {
  return blocks.find(({ ranges }) => ranges.some((range) => cidrContains(range, address)));
}

/** The one that may assign some address of a range. */
export function unreadableWithin(
  blocks: readonly UnreadableBlock[],
  cidr: Cidr,
): UnreadableBlock | undefined {
  return blocks.find(({ ranges }) => ranges.some((range) => cidrsOverlap(range, cidr)));
}
