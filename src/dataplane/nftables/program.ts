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
import type { Element, Expression, KeyType, NftSet, Transaction } from '../../kernel/index.ts';
import { addressBytes, type Family, parseAddress } from '../../net/index.ts';
import type { Direction } from '../../policy/index.ts';
import { concatenation, interfaceNameBytes, memberKey } from './bytes.ts';
import { ContentSets } from './content-sets.ts';
import { type Generation, judgedElements, markExpressions } from './judgement.ts';
import { goTo, jump, ruleMatches, verdict } from './matches.ts';
import { addressSetName, chains, endpointChain, policyChain, sets, table } from './names.ts';
import { type SkeletonOptions, skeletonChains, skeletonRules, skeletonSets } from './skeleton.ts';

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

  /** Makes the table anew, whatever it held before: nothing of ours is in the kernel at no time. */
  begin(transaction: Transaction, options: SkeletonOptions): void {
    // Adding first makes the deletion succeed where there was no table.
    transaction.addTable();
    transaction.deleteTable();
    transaction.addTable();
    for (const set of skeletonSets) transaction.addSet(set);
    for (const chain of skeletonChains) transaction.addChain(chain);
    for (const rule of skeletonRules(options)) transaction.addRule(rule);
  }

  change(transaction: Transaction, state: DesiredState, changes: Changes, generation: Generation): void {
    const goneSets = this.#changeSets(transaction, state, changes);
    const gonePolicies = this.#changePolicies(transaction, state, changes);
    this.#changeEndpoints(transaction, state, changes);
    // Only now does nobody refer to them any more.
    for (const chain of gonePolicies) removeChain(transaction, chain);
    for (const name of this.#contents.takeRemoved()) transaction.deleteSet(name);
    for (const name of goneSets) transaction.deleteSet(name);
    this.#changeGeneration(transaction, generation);
  }

  #changeSets(transaction: Transaction, state: DesiredState, changes: Changes): string[] {
    const gone: string[] = [];
    for (const [id, { added, removed }] of changes.sets) {
      const set = state.sets.get(id);
      const known = this.#sets.get(id);
      if (!set) {
        if (known) gone.push(...families.map((family) => addressSetName(id, family)));
        this.#sets.delete(id);
        continue;
      }
      for (const family of families) {
        const definition = addressSet(id, set, family);
        if (!known) transaction.addSet(definition);
        const elements = (members: readonly string[]) => membersOf(members, family);
        transaction.deleteElements(definition, elements(removed));
        transaction.addElements(definition, elements(added));
      }
      this.#sets.set(id, set.kind);
    }
    return gone;
  }

  #changePolicies(transaction: Transaction, state: DesiredState, changes: Changes): string[] {
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
        if (known) transaction.flushChain(name);
        else transaction.addChain({ name });
        const compiled = policyRules(program, direction, this.#contents);
        rules.push(() => {
          for (const { expressions, comment } of compiled)
            transaction.addRule({ chain: name, expressions, comment });
        });
      }
      this.#policies.set(key, this.#contents.takeUses());
    }
    for (const names of outdated) this.#contents.release(names);
    // Sets first: a rule cannot speak of one that is not there.
    for (const { set, elements } of this.#contents.takeAdded()) {
      transaction.addSet(set);
      transaction.addElements(set, elements);
    }
    for (const add of rules) add();
    return gone;
  }

  #changeEndpoints(transaction: Transaction, state: DesiredState, changes: Changes): void {
    for (const key of changes.endpoints) {
      const endpoint = state.endpoints.get(key);
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
        transaction.addElements(sourceSet(family), endpoint ? sourceElements(endpoint, family) : []);
      }
      if (endpoint) this.#endpoints.set(key, endpoint);
      else this.#endpoints.delete(key);
    }
  }

  #changeGeneration(transaction: Transaction, generation: Generation): void {
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

function removeChain(transaction: Transaction, name: string): void {
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
