// Sets of what the cluster's network is made of: pools, nodes, ranges of services. Rules of the packet path ask them.
import type { Changes, DesiredState, NetworkFact } from '../../../calc/index.ts';
import type { NftSet } from '../../../kernel/index.ts';
import type { Family } from '../../../net/index.ts';
import { changeRanges, netSetOf, type Ranges, rangesOf } from '../net-ranges.ts';
import type { TableWriter } from '../table-image.ts';

/** Upstream's names for them, where it has any. */
const names: Readonly<Record<NetworkFact, string>> = {
  pools: 'network-ip-pools',
  masqueraded: 'masq-ipam-pools',
  nodes: 'all-hosts-net',
  services: 'service-cidrs',
};
const facts = Object.keys(names) as NetworkFact[];
const families: readonly Family[] = [4, 6];

/** "cali40masq-ipam-pools". */
export function networkSetName(fact: NetworkFact, family: Family): string {
  return `cali${family}0${names[fact]}`;
}

export const networkSets: readonly NftSet[] = facts.flatMap((fact) =>
  families.map((family) => netSetOf(networkSetName(fact, family), family)),
);

export class NetworkSetsProgram {
  readonly #placed = new Map<string, Ranges>();

  change(transaction: TableWriter, state: DesiredState, changes: Changes): void {
    for (const fact of changes.network) {
      for (const family of families) {
        const name = networkSetName(fact, family);
        const wanted = rangesOf(state.network[fact], family);
        const before = this.#placed.get(name) ?? [];
        changeRanges(transaction, netSetOf(name, family), family, before, wanted);
        this.#placed.set(name, wanted);
      }
    }
  }
}
