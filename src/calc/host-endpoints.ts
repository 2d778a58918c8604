// Host endpoints: what each contributes to sets of addresses, and which of this node's interfaces are whose. An interface
// belongs to the host endpoint that names it, else to the first, by name, that expects one of its addresses; "*" has the rest.
import { allInterfaces, defaultAllowProfile, type HostEndpoint, hostEndpointOf } from '../policy/index.ts';
import type { HostEndpoint as HostEndpointObject } from '../resources/index.ts';
import type { AddressSets } from './address-sets.ts';
import type { HostEndpointProgram } from './desired-state.ts';
import type { InheritedLabels } from './inherited-labels.ts';
import { LabelSet } from './label-set.ts';
import type { Policies, PolicyPlace } from './policies.ts';

/** What the names of profiles begin with for which a namespace stands: "kns.NAMESPACE". It allows, and has labels. */
const namespaceProfile = 'kns.';

/** Those for which a service account stands: "ksa.NAMESPACE.NAME". It has labels, and allows nothing. */
const accountProfile = 'ksa.';

/** No host endpoint covers an interface whose name begins so. */
const podInterfaces = 'cali';

/** Among endpoints of all sorts; pods' keys have a slash. */
const keyOf = (name: string) => `HostEndpoint ${name}`;

interface HostEndpointsOptions {
  /** Name of the node. */
  readonly node: string;
  readonly sets: AddressSets;
  readonly policies: Policies;
  readonly namespaces: InheritedLabels;
  /** By "namespace/name". */
  readonly serviceAccounts: InheritedLabels;
  /** Interfaces that are nobody's by name or address. */
  readonly excludedInterfaces?: readonly RegExp[];
  /** Beginnings of names that are workloads', besides pods'. */
  readonly foreignWorkloads?: readonly string[];
}

export class HostEndpoints {
  readonly #node: string;
  readonly #sets: AddressSets;
  readonly #policies: Policies;
  readonly #namespaces: InheritedLabels;
  readonly #serviceAccounts: InheritedLabels;
  readonly #excluded: readonly RegExp[];
  readonly #workloads: readonly string[];
  readonly #known = new Map<string, HostEndpoint>();
  /** Names of host endpoints by their profiles. */
  readonly #heirs = new Map<string, Set<string>>();
  readonly #interfaces = new Map<string, readonly string[]>();
  /** Whose each interface is: names of host endpoints by names of interfaces. */
  #owners: ReadonlyMap<string, string> = new Map();
  readonly #programs = new Map<string, HostEndpointProgram>();
  /** Owners may be others than before. */
  #isMoved = false;
  /** Host endpoints of this node whose program may differ for another reason than a policy's. */
  readonly #dirty = new Set<string>();

  constructor({
    node,
    sets,
    policies,
    namespaces,
    serviceAccounts,
    excludedInterfaces = [],
    foreignWorkloads = [],
  }: HostEndpointsOptions) {
    this.#node = node;
    this.#sets = sets;
    this.#policies = policies;
    this.#namespaces = namespaces;
    this.#serviceAccounts = serviceAccounts;
    this.#excluded = excludedInterfaces;
    this.#workloads = [podInterfaces, ...foreignWorkloads];
  }

  /** Programs by name of interface, or "*"; right after `program`. */
  get state(): ReadonlyMap<string, HostEndpointProgram> {
    return this.#programs;
  }

  get hasChanges(): boolean {
    return this.#isMoved || this.#dirty.size > 0;
  }

  /** Returns one sentence per part that could not be understood. */
  set(object: HostEndpointObject): readonly string[] {
    const { endpoint, faults: misread } = hostEndpointOf(object);
    const { interfaceName } = endpoint;
    const isPods = this.#isWorkload(interfaceName);
    const faults = isPods ? [...misread, `"${interfaceName}" is an interface of a workload`] : misread;
    const before = this.#known.get(endpoint.name);
    if (before && textOf(before) === textOf(endpoint)) return faults;
    if (before && before.node !== endpoint.node) this.#unplace(before);
    if (before) this.#disinherit(before);
    this.#known.set(endpoint.name, endpoint);
    for (const profile of endpoint.profiles) {
      const heirs = this.#heirs.get(profile);
      if (heirs) heirs.add(endpoint.name);
      else this.#heirs.set(profile, new Set([endpoint.name]));
    }
    this.#place(endpoint);
    return faults;
  }

  delete(name: string): void {
    const known = this.#known.get(name);
    if (!known) return;
    this.#known.delete(name);
    this.#disinherit(known);
    this.#sets.deleteContributor(keyOf(name));
    this.#unplace(known);
  }

  setInterface(name: string, addresses: readonly string[] | undefined): void {
    if (this.#interfaces.get(name)?.join() === addresses?.join()) return;
    if (addresses) this.#interfaces.set(name, addresses);
    else this.#interfaces.delete(name);
    this.#isMoved = true;
  }

  /** The labels of the namespace, or of the "namespace/service account", are others than before, or it has come or gone. */
  relabel(giver: string): void {
    const profile = giver.includes('/') ? accountProfile + giver.replace('/', '.') : namespaceProfile + giver;
    for (const name of this.#heirs.get(profile) ?? []) {
      const endpoint = this.#known.get(name);
      if (endpoint) this.#place(endpoint);
    }
  }

  /** Brings the programs up to date; `dirty` has keys of endpoints whose policies differ. Returns the interfaces that changed. */
  program(dirty: ReadonlySet<string>): Set<string> {
    const owners = this.#isMoved ? this.#findOwners() : this.#owners;
    const changed = new Set<string>();
    for (const name of this.#owners.keys()) {
      if (owners.has(name)) continue;
      this.#programs.delete(name);
      changed.add(name);
    }
    for (const [name, owner] of owners) {
      const isSame = this.#owners.get(name) === owner && !this.#dirty.has(owner) && !dirty.has(keyOf(owner));
      const endpoint = this.#known.get(owner);
      if (isSame || !endpoint) continue;
      this.#programs.set(name, this.#programOf(endpoint));
      changed.add(name);
    }
    this.#owners = owners;
    this.#isMoved = false;
    this.#dirty.clear();
    return changed;
  }

  #place(endpoint: HostEndpoint): void {
    const key = keyOf(endpoint.name);
    const inherited = endpoint.profiles.flatMap(
      (profile) => this.#namespaceOf(profile) ?? this.#accountOf(profile) ?? [],
    );
    const labels = new LabelSet([endpoint.labels, ...inherited]);
    this.#sets.setContributor(key, endpoint, labels);
    if (endpoint.node === this.#node) this.#policies.setEndpoint(key, labels);
    this.#isMoved = true;
    this.#dirty.add(endpoint.name);
  }

  /** Takes back what only an endpoint of this node has. */
  #unplace({ name, node }: HostEndpoint): void {
    if (node !== this.#node) return;
    this.#policies.deleteEndpoint(keyOf(name));
    this.#isMoved = true;
  }

  #disinherit({ name, profiles }: HostEndpoint): void {
    for (const profile of profiles) {
      const heirs = this.#heirs.get(profile);
      heirs?.delete(name);
      if (heirs?.size === 0) this.#heirs.delete(profile);
    }
  }

  #namespaceOf(profile: string): ReadonlyMap<string, string> | undefined {
    return profile.startsWith(namespaceProfile)
      ? this.#namespaces.get(profile.slice(namespaceProfile.length))
      : undefined;
  }

  /** A namespace has no dot in its name, and a service account may have some. */
  #accountOf(profile: string): ReadonlyMap<string, string> | undefined {
    return profile.startsWith(accountProfile)
      ? this.#serviceAccounts.get(profile.slice(accountProfile.length).replace('.', '/'))
      : undefined;
  }

  #isWorkload(interfaceName = ''): boolean {
    return this.#workloads.some((prefix) => interfaceName.startsWith(prefix));
  }

  #findOwners(): Map<string, string> {
    const own = [...this.#known.values()]
      .filter(({ node, interfaceName }) => node === this.#node && !this.#isWorkload(interfaceName))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const owners = new Map<string, string>();
    const isExcluded = (interfaceName: string) =>
      interfaceName !== allInterfaces &&
      (this.#isWorkload(interfaceName) || this.#excluded.some((pattern) => pattern.test(interfaceName)));
    const claim = (interfaceName: string, { name }: HostEndpoint) => {
      if (!owners.has(interfaceName) && !isExcluded(interfaceName)) owners.set(interfaceName, name);
    };
    for (const endpoint of own) if (endpoint.interfaceName) claim(endpoint.interfaceName, endpoint);
    for (const endpoint of own) {
      if (endpoint.interfaceName) continue;
      for (const [interfaceName, addresses] of this.#interfaces) {
        if (endpoint.addresses.some((address) => addresses.includes(address))) claim(interfaceName, endpoint);
      }
    }
    return owners;
  }

  #programOf({ name, profiles }: HostEndpoint): HostEndpointProgram {
    const tiers = (place: PolicyPlace) => ({
      ingress: this.#policies.tiersOf(keyOf(name), 'ingress', place),
      egress: this.#policies.tiersOf(keyOf(name), 'egress', place),
    });
    const isAllowed = profiles.some(
      (profile) => profile === defaultAllowProfile || this.#namespaceOf(profile) !== undefined,
    );
    const isAll = this.#known.get(name)?.interfaceName === allInterfaces;
    const none = { ingress: [], egress: [] };
    return {
      endpoint: name,
      normal: tiers('normal'),
      forward: tiers('forward'),
      // As upstream: what is judged before connection tracking is judged for an interface that is named.
      untracked: isAll ? none : tiers('untracked'),
      preDNAT: tiers('preDNAT').ingress,
      afterTiers: isAllowed ? 'Allow' : 'Deny',
    };
  }
}

/** Whoever watches tells the same thing again after every reconnection. */
function textOf({ labels, ...rest }: HostEndpoint): string {
  return JSON.stringify([rest, [...labels]]);
}
