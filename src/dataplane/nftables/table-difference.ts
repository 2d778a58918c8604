// What of a table the kernel holds otherwise than it should, and how to write just that: what is equal stays untouched, and
// a packet that is being judged by it notices nothing.
import type { Element, NftSet } from '../../kernel/index.ts';
import type { Owned, TableImage, TableWriter } from './table-image.ts';
import type { TableReading } from './table-reading.ts';
import { textOfChain, textOfRule, textOfSet } from './table-text.ts';

/** One difference: what it is about, in words, and what undoes it. */
export interface Difference {
  readonly what: string;
  readonly step: Step;
  write(transaction: TableWriter): void;
}

/**
 * The order in which differences can be undone: what is spoken of comes before what speaks of it, and goes after it. Chains
 * that go may speak of each other, so all are emptied first.
 */
const steps = [
  'add chain',
  'add set',
  'elements',
  'rules',
  'empty chain',
  'delete chain',
  'delete set',
] as const;
type Step = (typeof steps)[number];

/**
 * Why the table cannot be kept and brought up to date object by object, in words: base chains that the kernel calls at other
 * places, or a set of another kind under the same name. Undefined when it can.
 */
export function layoutDifference(image: TableImage, held: TableReading): string | undefined {
  const bases = (chains: readonly string[]) => chains.toSorted().join();
  const hooked = [...held.chains.values()].flatMap((chain) => (chain.hook ? [textOfChain(chain)] : []));
  const wanted = [...image.chains.values()].flatMap(({ value }) => (value.hook ? [textOfChain(value)] : []));
  if (bases(hooked) !== bases(wanted)) return 'its base chains are others';
  for (const [name, { value }] of image.sets) {
    const set = held.sets.get(name);
    if (set && textOfSet(set) !== textOfSet(value)) return `its set "${name}" is of another kind`;
  }
  return undefined;
}

/** Every difference, in no order that could be written; undefined after each object that was compared, to pause at. */
export function* differences(image: TableImage, held: TableReading): Generator<Difference | undefined> {
  for (const [name, { value, owner }] of image.chains) {
    if (!held.chains.has(name))
      yield difference(`chain "${name}"`, 'add chain', owner, (transaction) => transaction.addChain(value));
  }
  for (const [name, { value, owner }] of image.sets) {
    if (!held.sets.has(name))
      yield difference(`set "${name}"`, 'add set', owner, (transaction) => transaction.addSet(value));
  }
  for (const name of new Set([...image.chains.keys(), ...image.chainsWithRules])) {
    const wanted = image.rulesOf(name);
    const actual = held.rulesOf(name);
    if (wanted.length === actual.length && wanted.every(({ value }, i) => textOfRule(value) === actual[i]))
      continue;
    yield difference(`rules of chain "${name}"`, 'rules', undefined, (transaction) => {
      if (actual.length > 0) transaction.flushChain(name);
      for (const { value, owner } of wanted) {
        transaction.owner = owner;
        transaction.addRule(value);
      }
    });
  }
  for (const { value } of image.sets.values()) {
    yield elementsDifference(value, image, held);
  }
  for (const name of held.chains.keys()) {
    if (image.chains.has(name)) continue;
    const what = `chain "${name}"`;
    yield difference(what, 'empty chain', undefined, (transaction) => transaction.flushChain(name));
    yield difference(what, 'delete chain', undefined, (transaction) => transaction.deleteChain(name));
  }
  for (const name of held.sets.keys()) {
    if (!image.sets.has(name))
      yield difference(`set "${name}"`, 'delete set', undefined, (transaction) =>
        transaction.deleteSet(name),
      );
  }
}

/** Writes all that differs. */
export function writeDifferences(transaction: TableWriter, found: Iterable<Difference | undefined>): void {
  const byStep = Map.groupBy(
    [...found].filter((difference) => difference !== undefined),
    ({ step }) => step,
  );
  for (const step of steps) for (const difference of byStep.get(step) ?? []) difference.write(transaction);
  transaction.owner = undefined;
}

function elementsDifference(set: NftSet, image: TableImage, held: TableReading): Difference | undefined {
  const actual = held.unitsOf(set.name);
  const what = `elements of set "${set.name}"`;
  if (actual.length === 0) {
    const wanted = image.elementsOf(set.name);
    return wanted.length === 0
      ? undefined
      : difference(what, 'elements', undefined, (transaction) => addOwned(transaction, set, wanted));
  }
  const wanted = image.unitsOf(set.name);
  const gone = actual.filter(({ text }) => !wanted.has(text)).flatMap(({ elements }) => elements);
  for (const { text } of actual) wanted.delete(text);
  if (gone.length === 0 && wanted.size === 0) return undefined;
  return difference(what, 'elements', undefined, (transaction) => {
    transaction.deleteElements(set, gone);
    const byOwner = Map.groupBy(wanted.values(), ({ owner }) => owner);
    addOwned(
      transaction,
      set,
      [...byOwner].map(([owner, units]) => ({ value: units.flatMap(({ value }) => value.elements), owner })),
    );
  });
}

function addOwned(transaction: TableWriter, set: NftSet, chunks: readonly Owned<readonly Element[]>[]): void {
  for (const { value, owner } of chunks) {
    transaction.owner = owner;
    transaction.addElements(set, value);
  }
}

function difference(
  what: string,
  step: Step,
  owner: string | undefined,
  write: (transaction: TableWriter) => void,
): Difference {
  return {
    what,
    step,
    write: (transaction) => {
      transaction.owner = owner;
      write(transaction);
    },
  };
}

/** What, in words, the kernel holds otherwise than a small table should be; undefined when nothing. */
export function firstDifference(image: TableImage, held: TableReading): string | undefined {
  const layout = layoutDifference(image, held);
  if (layout !== undefined) return layout;
  for (const difference of differences(image, held)) if (difference) return difference.what;
  return undefined;
}
