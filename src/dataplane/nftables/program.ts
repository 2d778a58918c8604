// Turns desired state into one transaction on our table, and remembers what the kernel holds once it has accepted it.
// A program begins with an empty table; a new one is begun whenever the kernel's state is in doubt.
import type {
  AddressSet,
  Changes,
  DesiredState,
  EndpointProgram,
  PolicyProgram,
  SetKind,
} from '../../calc/index.ts';
import type { Element, Expression, KeyType, NftSet } from '../../kernel/index.ts';
import { addressBytes, type Family, parseAddress } from '../../net/index.ts';
import type { Direction } from '../../policy/index.ts';
import { concatenation, interfaceNameBytes, memberKey } from './bytes.ts';
import { ContentSets } from './content-sets.ts';
import { type Isolation, OwnedFault, type Owner } from './isolation.ts';
import { type Generation, judgedElements, markExpressions } from './judgement.ts';
import { goTo, jump, ruleMatches, verdict } from './matches.ts';
import { addressSetName, chains, endpointChain, policyChain, sets, table } from './names.ts';
import { type SkeletonOptions, skeletonChains, skeletonRules, skeletonSets } from './skeleton.ts';
import type { TableWriter } from './table-image.ts';

const directions: readonly Direction[] = ['ingress', 'egress'];
const families: readonly Family[] = [4, 6];

/** What of an endpoint stands in sets, and has to be taken out of them again. */
type Placed = Pick<EndpointProgram, 'interfaceName' | 'addresses'>;

export class Program {
  readonly #contents = new ContentSets();
  readonly #sets = new Map<string, SetKind>();
  /** Content sets that each policy's rules use. */
  readonly #policies = new Map<string, readonly string[]>();
  readonly #endpoints = new Map<string, Placed>();
  #generation: Generation = 0;

  readonly #isolation: Isolation;

  constructor(isolation: Isolation) {
    this.#isolation = isolation;
  }

  /** Makes the table anew, whatever it held before and whoever owned it last: nothing of ours is in the kernel at no time. */
  begin(transaction: TableWriter, options: SkeletonOptions & { readonly owned: boolean }): void {
    // Adding first makes the deletion succeed where there was no table.
    transaction.addTable();
    transaction.deleteTable();
    transaction.addTable({ owned: options.owned });
    for (const set of skeletonSets) transaction.addSet(set);
    for (const chain of skeletonChains) transaction.addChain(chain);
    for (const rule of skeletonRules(options)) transaction.addRule(rule);
  }

  change(transaction: TableWriter, state: DesiredState, changes: Changes, generation: Generation): void {
    const goneSets = this.#changeSets(transaction, state, changes);
    const gonePolicies = this.#changePolicies(transaction, state, changes);
    this.#changeEndpoints(transaction, state, changes);
    // Only now does nobody refer to them any more.
    for (const chain of gonePolicies) removeChain(transaction, chain);
    for (const name of this.#contents.takeRemoved()) transaction.deleteSet(name);
    for (const name of goneSets) transaction.deleteSet(name);
    this.#changeGeneration(transaction, generation);
  }

  /** Keys of the policies whose rules use a content set. */
  usersOfContent(name: string): string[] {
    return [...this.#policies].flatMap(([key, names]) => (names.includes(name) ? [key] : []));
  }

  #changeSets(transaction: TableWriter, state: DesiredState, changes: Changes): string[] {
    const gone: string[] = [];
    for (const [id, { added, removed }] of changes.sets) {
      const set = state.sets.get(id);
      const known = this.#sets.get(id);
      if (!set) {
        if (known) gone.push(...families.map((family) => addressSetName(id, family)));
        this.#sets.delete(id);
        continue;
      }
      const isClosed = this.#isolation.isClosed('set', id);
      for (const family of families) {
        const definition = addressSet(id, set, family);
        const [gone, come] = isClosed
          ? [[], []]
          : ownedBy(transaction, `set ${id}`, () => [membersOf(removed, family), membersOf(added, family)]);
        if (!known) transaction.addSet(definition);
        transaction.deleteElements(definition, gone);
        transaction.addElements(definition, come);
      }
      this.#sets.set(id, set.kind);
    }
    return gone;
  }

  #changePolicies(transaction: TableWriter, state: DesiredState, changes: Changes): string[] {
    const gone: string[] = [];
    const outdated: (readonly string[])[] = [];
    const rules: (() => void)[] = [];
    for (const key of changes.policies) {
      const program = state.policies.get(key);
      const known = this.#policies.get(key);
      if (known) outdated.push(known);
      if (!program) {
        if (known) gone.push(...directions.map((direction) => policyChain(key, direction)));
        this.#policies.delete(key);
        continue;
      }
      for (const direction of directions) {
        const name = policyChain(key, direction);
        const owner: Owner = `policy ${key}`;
        const compiled = this.#isolation.isClosed('policy', key)
          ? closedPolicy
          : ownedBy(transaction, owner, () => policyRules(program, direction, this.#contents));
        if (known) transaction.flushChain(name);
        else transaction.addChain({ name });
        rules.push(() => {
          transaction.owner = owner;
          for (const { expressions, comment } of compiled)
            transaction.addRule({ chain: name, expressions, comment });
        });
      }
      this.#policies.set(key, this.#contents.takeUses());
    }
    for (const names of outdated) this.#contents.release(names);
    // Sets first: a rule cannot speak of one that is not there.
    for (const { set, elements } of this.#contents.takeAdded()) {
      transaction.owner = `content ${set.name}` satisfies Owner;
      transaction.addSet(set);
      transaction.addElements(set, elements);
    }
    for (const add of rules) add();
    transaction.owner = undefined;
    return gone;
  }

  #changeEndpoints(transaction: TableWriter, state: DesiredState, changes: Changes): void {
    for (const key of changes.endpoints) {
      transaction.owner = `endpoint ${key}` satisfies Owner;
      const told = state.endpoints.get(key);
      const endpoint =
        told && this.#isolation.isClosed('endpoint', key) ? { ...told, ...closedEndpoint } : told;
      const known = this.#endpoints.get(key);
      const isSameInterface = known && endpoint && known.interfaceName === endpoint.interfaceName;
      for (const direction of directions) {
        if (known && !isSameInterface) {
          transaction.deleteElements(dispatchSet(direction), [
            dispatchElement(known.interfaceName, direction),
          ]);
          removeChain(transaction, endpointChain(known.interfaceName, direction));
        }
        if (!endpoint) continue;
        const name = endpointChain(endpoint.interfaceName, direction);
        if (isSameInterface) transaction.flushChain(name);
        else transaction.addChain({ name });
        for (const expressions of endpointRules(endpoint, direction))
          transaction.addRule({ chain: name, expressions });
        if (!isSameInterface) {
          transaction.addElements(dispatchSet(direction), [
            dispatchElement(endpoint.interfaceName, direction),
          ]);
        }
      }
      for (const family of families) {
        transaction.deleteElements(sourceSet(family), known ? sourceElements(known, family) : []);
        const sources = () => (endpoint ? sourceElements(endpoint, family) : []);
        transaction.addElements(sourceSet(family), ownedBy(transaction, `endpoint ${key}`, sources));
      }
      if (endpoint) this.#endpoints.set(key, endpoint);
      else this.#endpoints.delete(key);
    }
    transaction.owner = undefined;
  }

  #changeGeneration(transaction: TableWriter, generation: Generation): void {
    transaction.deleteElements(judgedSet, judgedElements(this.#generation));
    transaction.addElements(judgedSet, judgedElements(generation));
    for (const direction of directions) {
      const chain = chains.mark[direction];
      transaction.flushChain(chain);
      const expressions = markExpressions(direction, generation);
      if (expressions.length > 0) transaction.addRule({ chain, expressions });
    }
    this.#generation = generation;
  }
}

/** Computes something for the sake of one object, and lays at its door what goes wrong. */
function ownedBy<T>(transaction: TableWriter, owner: Owner, compute: () => T): T {
  transaction.owner = owner;
  try {
    return compute();
  } catch (cause) {
    throw new OwnedFault(owner, cause);
  }
}

/** Whoever asks it goes no further. */
const closedPolicy: ReturnType<typeof policyRules> = [
  {
    expressions: [{ kind: 'counter', packets: 0n, bytes: 0n }, verdict('drop')],
    comment: 'closed: it cannot be programmed as it stands',
  },
];
const closedEndpoint = { addresses: [], ingress: [], egress: [], afterTiers: 'Deny' } as const;

const judgedSet = definitionOf(sets.judged);

function definitionOf(name: string): NftSet {
  const set = skeletonSets.find((candidate) => candidate.name === name);
  if (!set) throw new Error(`The table ${table.name} has no set "${name}"`);
  return set;
}

function dispatchSet(direction: Direction): NftSet {
  return definitionOf(sets.dispatch[direction]);
}

function sourceSet(family: Family): NftSet {
  return definitionOf(sets.sources[family]);
}

function dispatchElement(interfaceName: string, direction: Direction): Element {
  const chain = endpointChain(interfaceName, direction);
  return { key: interfaceNameBytes(interfaceName), verdict: { code: 'goto', chain } };
}

function sourceElements({ interfaceName, addresses }: Placed, family: Family): Element[] {
  return addresses
    .map(parseAddress)
    .filter((address) => address.family === family)
    .map((address) => ({ key: concatenation(interfaceNameBytes(interfaceName), addressBytes(address)) }));
}

function addressSet(id: string, { kind }: AddressSet, family: Family): NftSet {
  const address: KeyType = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
  const key: KeyType[] = kind === 'address' ? [address] : [address, 'inet_proto', 'inet_service'];
  return { name: addressSetName(id, family), key };
}

function membersOf(members: readonly string[], family: Family): Element[] {
  return members
    .filter((member) => member.includes(':') === (family === 6))
    .map((member) => ({ key: memberKey(member) }));
}

function removeChain(transaction: TableWriter, name: string): void {
  transaction.flushChain(name);
  transaction.deleteChain(name);
}

function policyRules(
  program: PolicyProgram,
  direction: Direction,
  contents: ContentSets,
): { expressions: Expression[]; comment: string }[] {
  return program[direction].flatMap((rule) =>
    ruleMatches(rule, contents).map((matches) => ({
      expressions: [
        ...matches,
        { kind: 'counter', packets: 0n, bytes: 0n },
        rule.action === 'Allow' ? goTo(chains.judged[direction]) : verdict('drop'),
      ],
      comment: rule.origin,
    })),
  );
}

function endpointRules(endpoint: EndpointProgram, direction: Direction): Expression[][] {
  const drop: Expression[] = [{ kind: 'counter', packets: 0n, bytes: 0n }, verdict('drop')];
  const rules: Expression[][] = [];
  for (const { policies, defaultAction } of endpoint[direction]) {
    for (const key of policies) rules.push([jump(policyChain(key, direction))]);
    // No packet gets past a tier that denies what it leaves undecided.
    if (defaultAction === 'Deny') return [...rules, drop];
  }
  return [...rules, endpoint.afterTiers === 'Allow' ? [goTo(chains.judged[direction])] : drop];
}
