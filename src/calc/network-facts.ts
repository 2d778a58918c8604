// What of the cluster's network every node's table speaks of besides policy: pools, nodes, ranges of services.
import { tryParseAddress, tryParseCidr } from '../net/index.ts';
import { type BGPConfiguration, type IPPool, type Node, nodeAnnotations } from '../resources/index.ts';
import type { NetworkFact, NetworkFacts } from './desired-state.ts';

/** Values that several objects may say, each of which keeps its own word. A change costs what its object says, not what all do. */
class SaidBy {
  readonly #byObject = new Map<string, ReadonlySet<string>>();
  /** How many objects say a value. */
  readonly #speakers = new Map<string, number>();
  readonly values = new Set<string>();

  /** Returns whether the values are others now. */
  set(object: string, said: readonly string[]): boolean {
    const before = this.#byObject.get(object) ?? new Set<string>();
    const now = new Set(said);
    if (now.size > 0) this.#byObject.set(object, now);
    else this.#byObject.delete(object);
    let isOther = false;
    for (const value of now.difference(before)) {
      const speakers = this.#speakers.get(value) ?? 0;
      this.#speakers.set(value, speakers + 1);
      if (speakers > 0) continue;
      this.values.add(value);
      isOther = true;
    }
    for (const value of before.difference(now)) {
      const left = (this.#speakers.get(value) ?? 1) - 1;
      if (left > 0) {
        this.#speakers.set(value, left);
        continue;
      }
      this.#speakers.delete(value);
      this.values.delete(value);
      isOther = true;
    }
    return isOther;
  }
}

export class NetworkFactsIndex {
  readonly #said: Readonly<Record<NetworkFact, SaidBy>> = {
    pools: new SaidBy(),
    masqueraded: new SaidBy(),
    nodes: new SaidBy(),
    services: new SaidBy(),
  };
  readonly #changed = new Set<NetworkFact>();

  get facts(): NetworkFacts {
    const { pools, masqueraded, nodes, services } = this.#said;
    return {
      pools: pools.values,
      masqueraded: masqueraded.values,
      nodes: nodes.values,
      services: services.values,
    };
  }

  get hasChanges(): boolean {
    return this.#changed.size > 0;
  }

  takeChanges(): Set<NetworkFact> {
    const changed = new Set(this.#changed);
    this.#changed.clear();
    return changed;
  }

  /** A pool that is disabled gives no more addresses; those that it gave are still its own. */
  setPool(name: string, pool: IPPool | undefined): void {
    const cidrs = pool && tryParseCidr(pool.spec.cidr) ? [pool.spec.cidr] : [];
    this.#set('pools', name, cidrs);
    this.#set('masqueraded', name, pool?.spec.natOutgoing ? cidrs : []);
  }

  setNode(name: string, node: Node | undefined): void {
    const { annotations = {} } = node?.metadata ?? {};
    const addresses = [nodeAnnotations.ipv4Address, nodeAnnotations.ipv6Address].map(
      (annotation) => annotations[annotation]?.split('/')[0] ?? '',
    );
    this.#set(
      'nodes',
      name,
      addresses.filter((address) => tryParseAddress(address) !== undefined),
    );
  }

  /** Ranges that are advertised draw packets for addresses that no service has. */
  setBgpConfiguration(name: string, configuration: BGPConfiguration | undefined): void {
    if (name !== 'default') return;
    const { serviceClusterIPs, serviceExternalIPs, serviceLoadBalancerIPs } = configuration?.spec ?? {};
    const ranges = [serviceClusterIPs, serviceExternalIPs, serviceLoadBalancerIPs].flatMap((list) =>
      (list ?? []).map(({ cidr }) => cidr ?? ''),
    );
    this.#set(
      'services',
      name,
      ranges.filter((cidr) => tryParseCidr(cidr) !== undefined),
    );
  }

  #set(fact: NetworkFact, object: string, said: readonly string[]): void {
    if (this.#said[fact].set(object, said)) this.#changed.add(fact);
  }
}
