// The whole dataplane of a Linux node: policy by nftables, ways between nodes by routes and tunnels.
import type { Changes, DesiredState } from '../calc/index.ts';
import type { NftablesDataplane } from './nftables/driver.ts';
import type { VxlanOverlay } from './overlay/vxlan-overlay.ts';

export interface LinuxDataplaneParts {
  readonly nftables: NftablesDataplane;
  /** One per family that the node has an overlay for. */
  readonly overlays: readonly VxlanOverlay[];
}

export class LinuxDataplane {
  readonly #parts: LinuxDataplaneParts;
  #isInDoubt = true;

  constructor(parts: LinuxDataplaneParts) {
    this.#parts = parts;
  }

  /**
   * Policy first: a new way must not be open before what guards it.
   * @throws TransactionError, KernelError; what could be done is done, and a later call with `distrust` before it does the rest
   */
  apply(state: DesiredState, changes: Changes): void {
    this.#parts.nftables.apply(state, changes);
    if (!this.#isInDoubt && changes.routes.size === 0 && changes.tunnelEndpoints.size === 0) return;
    for (const overlay of this.#parts.overlays) overlay.synchronise(state);
    this.#isInDoubt = false;
  }

  /** What the kernel holds may not be what was last applied: the next call compares or writes everything. */
  distrust(): void {
    this.#isInDoubt = true;
    this.#parts.nftables.distrust();
  }
}
