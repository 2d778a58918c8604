// What is no pod but a member of sets all the same: network sets, the addresses of nodes, and what stands behind services.
import { canonicalAddress } from '../net/index.ts';
import { networkSetNets, serviceEndpoints } from '../policy/index.ts';
import {
  type EndpointSlice,
  type GlobalNetworkSet,
  keyOf,
  type NetworkSet,
  type Node,
} from '../resources/index.ts';
import { type AddressSets, type Contributor, type SetOf, serviceLabel } from './address-sets.ts';
import type { InheritedLabels } from './inherited-labels.ts';
import { LabelSet } from './label-set.ts';

interface Known {
  readonly of: SetOf;
  readonly namespace: string | undefined;
  readonly contributor: Contributor;
  readonly labels: ReadonlyMap<string, string>;
}

export class NetworkSets {
  readonly #sets: AddressSets;
  readonly #namespaces: InheritedLabels;
  readonly #known = new Map<string, Known>();

  constructor(sets: AddressSets, namespaces: InheritedLabels) {
    this.#sets = sets;
    this.#namespaces = namespaces;
  }

  /** Returns one sentence per entry that is no network and is left out. */
  set(set: NetworkSet | GlobalNetworkSet): readonly string[] {
    const { contributor, labels, faults } = networkSetNets(set);
    this.#put(`${set.kind} ${keyOf(set)}`, {
      of: 'endpoints',
      namespace: set.metadata.namespace,
      contributor,
      labels,
    });
    return faults;
  }

  delete(kind: 'NetworkSet' | 'GlobalNetworkSet', key: string): void {
    if (this.#known.delete(`${kind} ${key}`)) this.#sets.deleteContributor(`${kind} ${key}`);
  }

  setNode({ metadata, status }: Node): void {
    const labels = new Map(Object.entries(metadata.labels ?? {}));
    const addresses = (status?.addresses ?? []).flatMap(({ address }) => canonicalAddress(address) ?? []);
    this.#put(`Node ${metadata.name}`, {
      of: 'nodes',
      namespace: undefined,
      contributor: { addresses, ports: [] },
      labels,
    });
  }

  deleteNode(name: string): void {
    if (this.#known.delete(`Node ${name}`)) this.#sets.deleteContributor(`Node ${name}`, 'nodes');
  }

  setEndpointSlice(slice: EndpointSlice): void {
    const key = `EndpointSlice ${keyOf(slice)}`;
    const found = serviceEndpoints(slice);
    if (!found) {
      this.deleteEndpointSlice(keyOf(slice));
      return;
    }
    const { service, ...contributor } = found;
    const labels = new Map([[serviceLabel, `${service.namespace}/${service.name}`]]);
    this.#put(key, { of: 'services', namespace: undefined, contributor, labels });
  }

  deleteEndpointSlice(key: string): void {
    const known = `EndpointSlice ${key}`;
    if (this.#known.delete(known)) this.#sets.deleteContributor(known, 'services');
  }

  /** The namespace's labels are others than before. */
  relabel(namespace: string): void {
    for (const [key, known] of this.#known) if (known.namespace === namespace) this.#place(key, known);
  }

  #put(key: string, known: Known): void {
    const before = this.#known.get(key);
    if (before && textOf(before) === textOf(known)) return;
    this.#known.set(key, known);
    this.#place(key, known);
  }

  #place(key: string, { of, namespace, contributor, labels }: Known): void {
    const inherited = namespace === undefined ? undefined : this.#namespaces.get(namespace);
    this.#sets.setContributor(key, contributor, new LabelSet(inherited ? [labels, inherited] : [labels]), of);
  }
}

/** Nodes report themselves often, and seldom anew. */
function textOf({ contributor, labels }: Known): string {
  return JSON.stringify([contributor, [...labels]]);
}
