// The networks of calc's address sets, as rules ask for them: by a set of ranges that is named after its content, as the lists
// that a rule itself carries are. When they change, the rules that ask are written anew and ask another set. So everything that a
// change brings comes into force together; ranges that were changed in place would come later than the rest.
import type { Changes, DesiredState } from '../../calc/index.ts';
import type { Family } from '../../net/index.ts';
import { type NamedRanges, namedRanges } from './content-sets.ts';
import { rangesOf } from './net-ranges.ts';

const families: readonly Family[] = [4, 6];

export class SetNets {
  readonly #known = new Map<string, ReadonlyMap<Family, NamedRanges>>();

  /** What has changed is computed again when it is next asked for. */
  forget({ sets }: Changes): void {
    for (const [id, { netsChanged }] of sets) if (netsChanged) this.#known.delete(id);
  }

  /** Undefined when the set has no network of that family, or is not there. */
  of(id: string, family: Family, state: DesiredState): NamedRanges | undefined {
    const known = this.#known.get(id);
    if (known) return known.get(family);
    const nets = state.sets.get(id)?.nets;
    if (!nets) return undefined;
    const named = new Map(
      families.flatMap((one) => {
        const ranges = rangesOf(nets.keys(), one);
        return ranges.length > 0 ? [[one, namedRanges(one, ranges)] as const] : [];
      }),
    );
    this.#known.set(id, named);
    return named.get(family);
  }
}
