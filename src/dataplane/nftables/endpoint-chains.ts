// An endpoint's place in the table: its chains, by which its policies are asked tier by tier, its entries in the maps that
// dispatch packets to them, and its addresses in the sets of what may come from where.
import type { Changes, DesiredState, EndpointProgram } from '../../calc/index.ts';
import type { Element, Expression, NftSet } from '../../kernel/index.ts';
import { addressBytes, type Family, parseAddress } from '../../net/index.ts';
import type { Direction } from '../../policy/index.ts';
import { concatenation, interfaceNameBytes } from './bytes.ts';
import { type Isolation, ownedBy } from './isolation.ts';
import { defaultMarks, type Marks } from './marks.ts';
import { counter, goTo, verdict } from './matches.ts';
import { chains, policyChain, sets, tierChain } from './names.ts';
import { skeletonSet } from './skeleton.ts';
import type { TableWriter } from './table-image.ts';
import { tierRules } from './tier-rules.ts';

const directions: readonly Direction[] = ['ingress', 'egress'];
const families: readonly Family[] = [4, 6];

/** Passes nothing. */
const closedEndpoint = { addresses: [], ingress: [], egress: [], afterTiers: 'Deny' } as const;

/** What of an endpoint stands in the kernel, and has to be taken out of it again. */
interface Placed extends Pick<EndpointProgram, 'interfaceName' | 'addresses'> {
  /** How many chains it has in each direction. */
  readonly chains: Readonly<Record<Direction, number>>;
}

export class EndpointChains {
  readonly #isolation: Isolation;
  readonly #marks: Marks;
  readonly #placed = new Map<string, Placed>();

  constructor(isolation: Isolation, marks = defaultMarks) {
    this.#isolation = isolation;
    this.#marks = marks;
  }

  change(transaction: TableWriter, state: DesiredState, changes: Changes): void {
    for (const key of changes.endpoints) {
      const told = state.endpoints.get(key);
      const isClosed = told && this.#isolation.isClosed('endpoint', key);
      const endpoint = isClosed ? { ...told, ...closedEndpoint } : told;
      const known = this.#placed.get(key);
      ownedBy(transaction, `endpoint ${key}`, () => {
        if (known) this.#remove(transaction, key, known, endpoint);
        if (endpoint) this.#place(transaction, key, endpoint, known);
      });
    }
    transaction.owner = undefined;
  }

  /** Takes out what the endpoint will not have any more; what is only changed stays in its place. */
  #remove(transaction: TableWriter, key: string, known: Placed, endpoint: EndpointProgram | undefined): void {
    const { interfaceName } = known;
    for (const family of families)
      transaction.deleteElements(sourceSet(family), sourceElements(known, family));
    this.#placed.delete(key);
    for (const direction of directions) {
      for (let n = 0; n < known.chains[direction]; n++)
        transaction.flushChain(tierChain(interfaceName, direction, n));
    }
    if (endpoint?.interfaceName === interfaceName) return;
    for (const direction of directions) {
      transaction.deleteElements(dispatchSet(direction), [dispatchElement(interfaceName, direction)]);
      removeChains(transaction, interfaceName, direction, 0, known.chains[direction]);
    }
  }

  #place(transaction: TableWriter, key: string, endpoint: EndpointProgram, before: Placed | undefined): void {
    const { interfaceName, addresses } = endpoint;
    const known = before?.interfaceName === interfaceName ? before : undefined;
    const counts: Record<Direction, number> = { ingress: 0, egress: 0 };
    for (const direction of directions) {
      const rules = endpointRules(endpoint, direction, this.#marks);
      counts[direction] = rules.length;
      const there = known?.chains[direction] ?? 0;
      // All chains before any rule: a tier's chain speaks of the next one's.
      for (let n = there; n < rules.length; n++)
        transaction.addChain({ name: tierChain(interfaceName, direction, n) });
      for (const [n, list] of rules.entries()) {
        for (const expressions of list)
          transaction.addRule({ chain: tierChain(interfaceName, direction, n), expressions });
      }
      removeChains(transaction, interfaceName, direction, rules.length, there);
      if (!known)
        transaction.addElements(dispatchSet(direction), [dispatchElement(interfaceName, direction)]);
    }
    for (const family of families)
      transaction.addElements(sourceSet(family), sourceElements(endpoint, family));
    this.#placed.set(key, { interfaceName, addresses, chains: counts });
  }
}

/** Chains from one number up to another, which have no rules any more. */
function removeChains(
  transaction: TableWriter,
  interfaceName: string,
  direction: Direction,
  from: number,
  to: number,
): void {
  for (let n = from; n < to; n++) transaction.deleteChain(tierChain(interfaceName, direction, n));
}

/** The rules of each of the endpoint's chains in one direction. */
function endpointRules(endpoint: EndpointProgram, direction: Direction, marks: Marks): Expression[][][] {
  const nameOf = (n: number) => tierChain(endpoint.interfaceName, direction, n);
  const last = endpoint.afterTiers === 'Allow' ? [verdict('accept')] : [counter, goTo(chains.deny)];
  return tierRules(endpoint[direction], (key) => policyChain(key, direction), nameOf, last, marks);
}

function dispatchSet(direction: Direction): NftSet {
  return skeletonSet(sets.dispatch[direction]);
}

function sourceSet(family: Family): NftSet {
  return skeletonSet(sets.sources[family]);
}

function dispatchElement(interfaceName: string, direction: Direction): Element {
  const chain = tierChain(interfaceName, direction, 0);
  return { key: interfaceNameBytes(interfaceName), verdict: { code: 'goto', chain } };
}

function sourceElements(
  { interfaceName, addresses }: Pick<EndpointProgram, 'interfaceName' | 'addresses'>,
  family: Family,
): Element[] {
  return addresses
    .map(parseAddress)
    .filter((address) => address.family === family)
    .map((address) => ({ key: concatenation(interfaceNameBytes(interfaceName), addressBytes(address)) }));
}
