// The labels of an endpoint: its own and those it inherits. The inherited maps are shared by all who inherit them,
// because a namespace's labels times a hundred thousand pods would not fit.
import type { Labels } from '../selector/index.ts';

export class LabelSet implements Labels {
  readonly #layers: readonly ReadonlyMap<string, string>[];

  /** The first layer that has a label wins. */
  constructor(layers: readonly ReadonlyMap<string, string>[]) {
    this.#layers = layers;
  }

  get(label: string): string | undefined {
    for (const layer of this.#layers) {
      const value = layer.get(label);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Every label once, with the value that `get` gives. */
  *[Symbol.iterator](): Generator<readonly [string, string]> {
    for (const [depth, layer] of this.#layers.entries()) {
      for (const entry of layer) {
        if (!this.#layers.slice(0, depth).some((above) => above.has(entry[0]))) yield entry;
      }
    }
  }
}
