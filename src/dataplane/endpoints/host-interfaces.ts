// The node's own interfaces and their addresses, as the kernel tells them: host endpoints are found by either.
// Interfaces of pods are passed over.
import {
  type Link,
  type LinkAddress,
  type RoutingEvent,
  type Rtnetlink,
  type Watch,
  watchRouting,
} from '../../kernel/index.ts';

/** Told of an interface's addresses, canonical and sorted; undefined when there is no such interface any more. */
export type InterfaceListener = (name: string, addresses: readonly string[] | undefined) => void;

export interface HostInterfacesOptions {
  /** Of the node's namespace, as `namespace` is. */
  readonly rtnetlink: Rtnetlink;
  /** Descriptor of the namespace; the process's own when absent. */
  readonly namespace?: number;
  /** How names of pods' interfaces begin. */
  readonly podPrefix?: string;
}

interface Known {
  name: string;
  readonly addresses: Set<string>;
}

export class HostInterfaces {
  readonly #rtnetlink: Rtnetlink;
  readonly #namespace: number | undefined;
  readonly #podPrefix: string;
  readonly #known = new Map<number, Known>();
  /** What the listener was told last, by name. */
  readonly #told = new Map<string, string>();

  constructor({ rtnetlink, namespace, podPrefix = 'cali' }: HostInterfacesOptions) {
    this.#rtnetlink = rtnetlink;
    this.#namespace = namespace;
    this.#podPrefix = podPrefix;
  }

  /** Tells of every interface before it returns, and of every change from then on. */
  watch(listener: InterfaceListener): Watch {
    const place = this.#namespace === undefined ? {} : { namespace: this.#namespace };
    // Listening before reading: a change between the two is told twice rather than never.
    const watch = watchRouting({ topics: ['links', 'addresses'], ...place }, (events) => {
      if (events.some(({ kind }) => kind === 'resync')) this.#readAll();
      else for (const event of events) this.#note(event);
      this.#tell(listener);
    });
    this.#readAll();
    this.#tell(listener);
    return watch;
  }

  #readAll(): void {
    this.#known.clear();
    for (const link of this.#rtnetlink.links()) this.#noteLink(link);
    for (const address of this.#rtnetlink.addresses()) this.#noteAddress(address, false);
  }

  #note(event: RoutingEvent): void {
    if (event.kind === 'link') {
      if (event.gone) this.#known.delete(event.link.index);
      else this.#noteLink(event.link);
    } else if (event.kind === 'address') this.#noteAddress(event.address, event.gone);
  }

  #noteLink({ index, name }: Link): void {
    const known = this.#known.get(index);
    if (known) known.name = name;
    else this.#known.set(index, { name, addresses: new Set() });
  }

  /** The address of a link that is not known is that of one which has gone meanwhile. */
  #noteAddress({ link, address }: LinkAddress, gone: boolean): void {
    const addresses = this.#known.get(link)?.addresses;
    if (gone) addresses?.delete(address);
    else addresses?.add(address);
  }

  #tell(listener: InterfaceListener): void {
    const present = new Set<string>();
    for (const { name, addresses } of this.#known.values()) {
      if (name.startsWith(this.#podPrefix)) continue;
      present.add(name);
      const sorted = [...addresses].sort();
      if (this.#told.get(name) === sorted.join()) continue;
      this.#told.set(name, sorted.join());
      listener(name, sorted);
    }
    for (const name of this.#told.keys()) {
      if (present.has(name)) continue;
      this.#told.delete(name);
      listener(name, undefined);
    }
  }
}
