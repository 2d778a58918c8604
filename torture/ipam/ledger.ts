// Who holds which address, as the pods themselves would know it. It knows nothing of blocks or handles, and is what IPAM is
// judged by: an address has one holder at a time, and rests between two of them.
import assert from 'node:assert/strict';

export class HeldAddresses {
  readonly #holders = new Map<string, string>();
  readonly #releasedAt = new Map<string, number>();
  readonly #cooldownMs: number;
  readonly #now: () => Date;

  constructor(cooldownSeconds: number, now: () => Date) {
    this.#cooldownMs = cooldownSeconds * 1000;
    this.#now = now;
  }

  get count(): number {
    return this.#holders.size;
  }

  /** @throws AssertionError when it is somebody's, or was until a moment ago */
  take(address: string, pod: string): void {
    const holder = this.#holders.get(address);
    assert.equal(holder, undefined, `${address} was given to "${pod}" while "${holder}" holds it`);
    const releasedAt = this.#releasedAt.get(address);
    if (releasedAt !== undefined) {
      const restMs = this.#now().getTime() - releasedAt;
      assert.ok(
        restMs >= this.#cooldownMs,
        `${address} was given to "${pod}" ${restMs} ms after its release`,
      );
    }
    this.#holders.set(address, pod);
  }

  /** Called before IPAM is told: from then on the pod does not use them. */
  giveBack(pod: string): void {
    for (const [address, holder] of this.#holders) {
      if (holder !== pod) continue;
      this.#holders.delete(address);
      this.#releasedAt.set(address, this.#now().getTime());
    }
  }

  /** Every held address with its pod. */
  entries(): [string, string][] {
    return [...this.#holders];
  }
}
