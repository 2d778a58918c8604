// Which selectors match which labelled items, kept up to date as either changes. Work grows with what can match,
// not with how many items and selectors there are: a selector is filed under one label that it certainly demands.
import { matches, type RequiredLabel, requiredLabels, type Selector } from '../selector/index.ts';
import type { LabelSet } from './label-set.ts';

export interface MatchHandler {
  onMatch(selector: string, item: string): void;
  onUnmatch(selector: string, item: string): void;
}

interface Item {
  labels: LabelSet;
  readonly matched: Set<string>;
}

interface Filed {
  readonly selector: Selector;
  /** Undefined when the selector demands no single label; it is then tried on everything. */
  readonly anchor: RequiredLabel | undefined;
  readonly matched: Set<string>;
}

const anyValue: unique symbol = Symbol('any value');
type Value = string | typeof anyValue;
const everyValue: readonly Value[] = [anyValue];

export class LabelIndex {
  readonly #handler: MatchHandler;
  readonly #items = new Map<string, Item>();
  readonly #selectors = new Map<string, Filed>();
  readonly #itemsByLabel = new TwoLevelIndex<string>();
  readonly #selectorsByAnchor = new TwoLevelIndex<Value>();
  readonly #unanchored = new Set<string>();

  constructor(handler: MatchHandler) {
    this.#handler = handler;
  }

  /** Adds an item or gives it other labels; the handler hears of every difference before this returns. */
  setItem(id: string, labels: LabelSet): void {
    const known = this.#items.get(id);
    const item = known ?? { labels, matched: new Set<string>() };
    if (known) for (const [label, value] of known.labels) this.#itemsByLabel.delete(label, value, id);
    else this.#items.set(id, item);
    item.labels = labels;
    const candidates = new Set(this.#unanchored);
    for (const [label, value] of labels) {
      this.#itemsByLabel.add(label, value, id);
      for (const selector of this.#selectorsByAnchor.get(label, value)) candidates.add(selector);
      for (const selector of this.#selectorsByAnchor.get(label, anyValue)) candidates.add(selector);
    }
    for (const selector of [...item.matched]) if (!candidates.has(selector)) this.#unmatch(selector, id);
    for (const selector of candidates) this.#judge(selector, id);
  }

  /** Does nothing when there is no such item. */
  deleteItem(id: string): void {
    const item = this.#items.get(id);
    if (!item) return;
    for (const selector of [...item.matched]) this.#unmatch(selector, id);
    for (const [label, value] of item.labels) this.#itemsByLabel.delete(label, value, id);
    this.#items.delete(id);
  }

  /** Adds a selector, or replaces the one of that name. */
  setSelector(id: string, selector: Selector): void {
    const previous = this.#selectors.get(id);
    if (previous) this.#unfile(id, previous.anchor);
    const anchor = this.#bestAnchor(selector);
    const filed: Filed = { selector, anchor, matched: previous?.matched ?? new Set() };
    this.#selectors.set(id, filed);
    if (anchor)
      for (const value of anchor.values ?? everyValue) this.#selectorsByAnchor.add(anchor.label, value, id);
    else this.#unanchored.add(id);
    const candidates = this.#candidates(anchor);
    for (const item of [...filed.matched]) if (!candidates.has(item)) this.#unmatch(id, item);
    for (const item of candidates.keys()) this.#judge(id, item);
  }

  /** Does nothing when there is no such selector. */
  deleteSelector(id: string): void {
    const filed = this.#selectors.get(id);
    if (!filed) return;
    for (const item of [...filed.matched]) this.#unmatch(id, item);
    this.#unfile(id, filed.anchor);
    this.#selectors.delete(id);
  }

  /** Selectors that match the item now; empty when there is no such item. */
  selectorsOf(item: string): ReadonlySet<string> {
    return this.#items.get(item)?.matched ?? new Set();
  }

  /** Items that the selector matches now; empty when there is no such selector. */
  itemsOf(selector: string): ReadonlySet<string> {
    return this.#selectors.get(selector)?.matched ?? new Set();
  }

  #judge(selectorId: string, itemId: string): void {
    const filed = this.#selectors.get(selectorId);
    const item = this.#items.get(itemId);
    if (!filed || !item) return;
    const isMatch = matches(filed.selector, item.labels);
    if (isMatch === filed.matched.has(itemId)) return;
    if (!isMatch) {
      this.#unmatch(selectorId, itemId);
      return;
    }
    filed.matched.add(itemId);
    item.matched.add(selectorId);
    this.#handler.onMatch(selectorId, itemId);
  }

  #unmatch(selectorId: string, itemId: string): void {
    this.#selectors.get(selectorId)?.matched.delete(itemId);
    this.#items.get(itemId)?.matched.delete(selectorId);
    this.#handler.onUnmatch(selectorId, itemId);
  }

  #unfile(id: string, anchor: RequiredLabel | undefined): void {
    if (!anchor) this.#unanchored.delete(id);
    else
      for (const value of anchor.values ?? everyValue)
        this.#selectorsByAnchor.delete(anchor.label, value, id);
  }

  /** The demand that the fewest items meet at the moment. */
  #bestAnchor(selector: Selector): RequiredLabel | undefined {
    let best: RequiredLabel | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const required of requiredLabels(selector)) {
      const count = required.values
        ? required.values.reduce((sum, value) => sum + this.#itemsByLabel.get(required.label, value).size, 0)
        : this.#itemsByLabel.count(required.label);
      if (count < fewest) [best, fewest] = [required, count];
    }
    return best;
  }

  #candidates(anchor: RequiredLabel | undefined): { has(item: string): boolean; keys(): Iterable<string> } {
    if (!anchor) return this.#items;
    if (anchor.values?.length === 1) return this.#itemsByLabel.get(anchor.label, anchor.values[0] ?? '');
    const candidates = new Set<string>();
    for (const bucket of anchor.values
      ? anchor.values.map((value) => this.#itemsByLabel.get(anchor.label, value))
      : this.#itemsByLabel.buckets(anchor.label)) {
      for (const item of bucket) candidates.add(item);
    }
    return candidates;
  }
}

const nothing: ReadonlySet<string> = new Set();

/** label -> value -> identifiers, without empty leftovers. */
class TwoLevelIndex<V> {
  readonly #labels = new Map<string, Map<V, Set<string>>>();

  add(label: string, value: V, id: string): void {
    const values = this.#labels.get(label) ?? new Map<V, Set<string>>();
    this.#labels.set(label, values);
    const bucket = values.get(value);
    if (bucket) bucket.add(id);
    else values.set(value, new Set([id]));
  }

  delete(label: string, value: V, id: string): void {
    const values = this.#labels.get(label);
    const bucket = values?.get(value);
    if (!values || !bucket) return;
    bucket.delete(id);
    if (bucket.size === 0) values.delete(value);
    if (values.size === 0) this.#labels.delete(label);
  }

  get(label: string, value: V): ReadonlySet<string> {
    return this.#labels.get(label)?.get(value) ?? nothing;
  }

  buckets(label: string): Iterable<ReadonlySet<string>> {
    return this.#labels.get(label)?.values() ?? [];
  }

  count(label: string): number {
    let sum = 0;
    for (const bucket of this.buckets(label)) sum += bucket.size;
    return sum;
  }
}
