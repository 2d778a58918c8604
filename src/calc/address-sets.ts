// The sets of addresses that selectors stand for, for as long as somebody uses them. A member is counted, because two
// endpoints may contribute the same one.

import type { WorkloadEndpoint } from '../policy/index.ts';
import { printSelector, type Selector, selectorId } from '../selector/index.ts';
import type { AddressSet, SetChange, SetKind } from './desired-state.ts';
import { LabelIndex } from './label-index.ts';
import type { LabelSet } from './label-set.ts';

/**
 * Nodes are selected by their own labels and are no endpoints: no other selector means them. Nor does one mean what stands
 * behind services, which has the label `serviceLabel` alone.
 */
export type SetOf = 'endpoints' | 'nodes' | 'services';

/** "namespace/name" of the service that an EndpointSlice belongs to. */
export const serviceLabel = 'service';

/** Which endpoints (or nodes), and what of them. */
export interface SetSource {
  readonly selector: Selector;
  readonly of?: SetOf;
  /** Their ports of that name (or of any) instead of their bare addresses; of that protocol (IANA number), or of any. */
  readonly port?: { readonly name: string | undefined; readonly protocol: number | undefined };
}

/** An endpoint, or a network set. */
export interface Contributor extends Pick<WorkloadEndpoint, 'addresses' | 'ports'> {
  /** CIDRs of more than one address. */
  readonly nets?: readonly string[];
}

class CountedSet implements AddressSet {
  readonly source: SetSource;
  readonly members = new Map<string, number>();
  readonly nets = new Map<string, number>();
  /** Members touched since changes were last taken, and whether they were in the set then. */
  readonly touched = new Map<string, boolean>();
  /** The same of networks. */
  readonly touchedNets = new Map<string, boolean>();
  users = 1;

  /** @param taken What of it was last taken, when it is wanted again before anybody was told that it had gone. */
  constructor(source: SetSource, taken?: CountedSet) {
    this.source = source;
    if (!taken) return;
    for (const member of taken.#lastTaken(taken.members, taken.touched)) this.touched.set(member, true);
    for (const net of taken.#lastTaken(taken.nets, taken.touchedNets)) this.touchedNets.set(net, true);
  }

  get kind(): SetKind {
    return this.source.port ? 'address,protocol,port' : 'address';
  }

  count(contributor: Contributor, by: 1 | -1): void {
    for (const member of contributions(this.source, contributor))
      count(this.members, this.touched, member, by);
    if (this.source.port) return;
    for (const net of contributor.nets ?? []) count(this.nets, this.touchedNets, net, by);
  }

  /** Differences since the last call. */
  takeChange(): SetChange {
    const added: string[] = [];
    const removed: string[] = [];
    for (const [member, was] of this.touched) {
      const is = this.members.has(member);
      if (is && !was) added.push(member);
      if (was && !is) removed.push(member);
    }
    const netsChanged = [...this.touchedNets].some(([net, was]) => this.nets.has(net) !== was);
    this.touched.clear();
    this.touchedNets.clear();
    return { added, removed, netsChanged };
  }

  #lastTaken(counts: ReadonlyMap<string, number>, touched: ReadonlyMap<string, boolean>): string[] {
    const untouched = [...counts.keys()].filter((item) => !touched.has(item));
    return [...untouched, ...[...touched].flatMap(([item, was]) => (was ? [item] : []))];
  }
}

export class AddressSets {
  readonly #sets = new Map<string, CountedSet>();
  readonly #contributors = new Map<string, Contributor>();
  readonly #changed = new Set<string>();
  /** Released since changes were last taken. */
  readonly #released = new Map<string, CountedSet>();
  readonly #indexes: Readonly<Record<SetOf, LabelIndex>>;

  constructor() {
    const handler = {
      onMatch: (set: string, item: string) => this.#count(set, item, 1),
      onUnmatch: (set: string, item: string) => this.#count(set, item, -1),
    };
    this.#indexes = {
      endpoints: new LabelIndex(handler),
      nodes: new LabelIndex(handler),
      services: new LabelIndex(handler),
    };
  }

  get state(): ReadonlyMap<string, AddressSet> {
    return this.#sets;
  }

  /** Every call is owed a `release` of what it returns: the identifier, which equal sources share. */
  acquire(source: SetSource): string {
    const id = setId(source);
    const known = this.#sets.get(id);
    if (known) {
      known.users++;
      return id;
    }
    this.#sets.set(id, new CountedSet(source, this.#released.get(id)));
    this.#released.delete(id);
    this.#changed.add(id);
    this.#indexes[source.of ?? 'endpoints'].setSelector(id, source.selector);
    return id;
  }

  release(id: string): void {
    const set = this.#sets.get(id);
    if (!set || --set.users > 0) return;
    this.#indexes[set.source.of ?? 'endpoints'].deleteSelector(id);
    this.#sets.delete(id);
    this.#released.set(id, set);
    this.#changed.add(id);
  }

  /** `labels` are undefined when they are what they were. Keys are unique among all contributors. */
  setContributor(
    key: string,
    contributor: Contributor,
    labels: LabelSet | undefined,
    of: SetOf = 'endpoints',
  ): void {
    const index = this.#indexes[of];
    const previous = this.#contributors.get(key);
    const matched = [...index.selectorsOf(key)];
    if (previous) for (const set of matched) this.#count(set, key, -1);
    this.#contributors.set(key, contributor);
    for (const set of matched) this.#count(set, key, 1);
    if (labels) index.setItem(key, labels);
  }

  deleteContributor(key: string, of: SetOf = 'endpoints'): void {
    this.#indexes[of].deleteItem(key);
    this.#contributors.delete(key);
  }

  /** Differences since the last call, per set; a set that is gone has none and is not in the state any more. */
  takeChanges(): Map<string, SetChange> {
    const changes = new Map<string, SetChange>();
    for (const id of this.#changed) {
      changes.set(id, this.#sets.get(id)?.takeChange() ?? { added: [], removed: [], netsChanged: true });
    }
    this.#changed.clear();
    this.#released.clear();
    return changes;
  }

  get hasChanges(): boolean {
    return this.#changed.size > 0;
  }

  #count(id: string, key: string, by: 1 | -1): void {
    const contributor = this.#contributors.get(key);
    const set = this.#sets.get(id);
    if (!contributor || !set) return;
    set.count(contributor, by);
    this.#changed.add(id);
  }
}

/** Counts one of what a set is made of, and notes whether it was in it. */
function count(counts: Map<string, number>, touched: Map<string, boolean>, item: string, by: 1 | -1): void {
  const before = counts.get(item) ?? 0;
  if (!touched.has(item)) touched.set(item, before > 0);
  if (before + by > 0) counts.set(item, before + by);
  else counts.delete(item);
}

function contributions({ port }: SetSource, { addresses, ports }: Contributor): readonly string[] {
  if (!port) return addresses;
  const named = new Set(
    ports
      .filter(
        ({ name, protocol }) => (port.name ?? name) === name && (port.protocol ?? protocol) === protocol,
      )
      .map((match) => `${match.protocol},${match.port}`),
  );
  return addresses.flatMap((address) => [...named].map((match) => `${address},${match}`));
}

/** The selector's identifier; where more is meant than endpoints' addresses, that of a text that no selector has. */
function setId({ selector, port, of = 'endpoints' }: SetSource): string {
  if (!port && of === 'endpoints') return selectorId(selector);
  const what = port ? `${port.protocol ?? 'any'}/${port.name ?? ''}` : '';
  const label = of === 'endpoints' ? what : port ? `${of} ${what}` : of;
  return selectorId({ kind: '==', label, value: printSelector(selector) });
}
