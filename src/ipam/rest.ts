// What is free in a block as of one request: how long freed addresses rest is what the cluster's configuration and the clock make
// of cooldown.ts.
import type { IPAMConfiguration } from '../resources/index.ts';
import { withWholeFreeList } from './block.ts';
import type { Thaw } from './blocks.ts';
import { withoutCooled } from './cooldown.ts';

export interface Rest {
  /** Frees what has rested long enough. */
  readonly thaw: Thaw;
  /** When an address that is freed now begins to cool down; undefined when it is free at once. */
  readonly releasedAt: Date | undefined;
}

export function restOf(configuration: Partial<IPAMConfiguration['spec']> | undefined, now: () => Date): Rest {
  const seconds = configuration?.ipCooldownSeconds ?? 0;
  return {
    // By the clock when it is used, for that may be many waits after the request came.
    thaw: (spec) => withoutCooled(withWholeFreeList(spec), seconds, now()),
    releasedAt: seconds > 0 ? now() : undefined,
  };
}
