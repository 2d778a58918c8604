// Which pools may give addresses, and why the others may not. Pure: of two that overlap the one that was first keeps its range.
import { type Cidr, cidrsOverlap, parseCidr } from '../net/index.ts';
import type { IPPool } from '../resources/index.ts';

export interface PoolVerdict {
  readonly isAllocatable: boolean;
  readonly reason: 'OK' | 'CIDROverlap' | 'Terminating' | 'PoolDisabled';
  readonly message: string;
}

/** By name of the pool. */
export function judgePools(pools: readonly IPPool[]): Map<string, PoolVerdict> {
  const verdicts = new Map<string, PoolVerdict>();
  const holders: { readonly name: string; readonly range: Cidr }[] = [];
  for (const pool of pools.toSorted(byAge)) {
    const { name, deletionTimestamp } = pool.metadata;
    const range = parseCidr(pool.spec.cidr);
    const holder = holders.find((candidate) => cidrsOverlap(candidate.range, range));
    if (deletionTimestamp) {
      verdicts.set(
        name,
        no('Terminating', 'The pool is being deleted; it goes with the last of its addresses'),
      );
    } else if (pool.spec.disabled) {
      verdicts.set(name, no('PoolDisabled', 'The pool is disabled'));
    } else if (holder) {
      verdicts.set(name, no('CIDROverlap', `The range overlaps with that of pool "${holder.name}"`));
    } else {
      verdicts.set(name, { isAllocatable: true, reason: 'OK', message: '' });
      holders.push({ name, range });
    }
  }
  return verdicts;
}

function no(reason: PoolVerdict['reason'], message: string): PoolVerdict {
  return { isAllocatable: false, reason, message };
}

/** What gives addresses already goes on to; among the others the older comes first, then the name decides. */
function byAge(a: IPPool, b: IPPool): number {
  const rank = ({ metadata, status }: IPPool) => {
    const isActive = status?.conditions?.some(
      ({ type, status }) => type === 'Allocatable' && status === 'True',
    );
    return `${isActive ? 0 : 1} ${metadata.creationTimestamp ?? ''} ${metadata.name}`;
  };
  return rank(a) < rank(b) ? -1 : 1;
}
