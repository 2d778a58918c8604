// The whole dataplane of a Linux node: policy by nftables, ways between nodes by routes and tunnels, the host's ends of
// pods' links. Tells when somebody else's hand may have been at it, and sets it right.
import type { Changes, DesiredState } from '../calc/index.ts';
import { type RoutingEvent, type Watch, watchRouting } from '../kernel/index.ts';
import type { HostLinks } from './endpoints/host-links.ts';
import type { ArpTable } from './nftables/arp-table.ts';
import type { NftablesDataplane } from './nftables/driver.ts';
import { type OverlayFault, Overlays, type Way } from './overlay/overlays.ts';

export interface LinuxDataplaneParts {
  readonly nftables: NftablesDataplane;
  /** Absent where pods' ARP is nobody's business. */
  readonly arp?: ArpTable;
  /** For each family its overlay with the routes, or the routes alone. */
  readonly overlays: readonly Way[];
  /** Told of all that the overlays lack whenever that is something else than before: policy and pods go on without. */
  readonly onOverlayFaults: (faults: readonly OverlayFault[]) => void;
  /** Absent where somebody else looks after pods' links. */
  readonly links?: HostLinks;
}

/** What may have been changed by another: our table; links, routes and neighbours; kernel settings. */
export type DoubtedPart = 'table' | 'routing' | 'settings';

export class LinuxDataplane {
  readonly #parts: LinuxDataplaneParts;
  readonly #overlays: Overlays;
  #state: DesiredState | undefined;
  #isInDoubt = true;

  constructor(parts: LinuxDataplaneParts) {
    this.#parts = parts;
    this.#overlays = new Overlays(parts.overlays, parts.onOverlayFaults);
  }

  /**
   * Policy first: a new way must not be open before what guards it.
   * What the kernel refuses of a way is tried again by itself. @throws TransactionError, KernelError when it refuses policy; what
   * could be done is done, and a later call with `distrust` before it does the rest
   */
  apply(state: DesiredState, changes: Changes): void {
    this.#state = state;
    this.#parts.links?.note(state, changes.endpoints);
    this.#parts.nftables.apply(state, changes);
    this.#parts.arp?.apply(state, changes);
    if (this.#isInDoubt) this.#overlays.synchronise(state);
    else if (changes.routes.size > 0 || changes.tunnelEndpoints.size > 0) this.#overlays.follow(state);
    this.#isInDoubt = false;
  }

  /** Nothing is brought into the kernel any more by itself. */
  stop(): void {
    this.#overlays.stop();
  }

  /** Resolves when the next change may come; undefined when it may come at once. See `NftablesDataplane`. */
  get overtaking(): Promise<void> | undefined {
    return this.#parts.nftables.overtaking;
  }

  /** What the kernel holds may not be what was last applied: the next call compares or writes everything. */
  distrust(): void {
    this.#isInDoubt = true;
    this.distrustTable();
  }

  /** As `distrust`, of the table alone. */
  distrustTable(): void {
    this.#parts.nftables.distrust();
    this.#parts.arp?.distrust();
  }

  /**
   * Calls `doubt` for every part that the kernel's events show to be otherwise than it was last made, until it is closed.
   * @param namespace descriptor of the node's network namespace; the process's own when absent
   */
  watch(doubt: (part: DoubtedPart) => void, namespace?: number): Watch {
    const place = namespace === undefined ? {} : { namespace };
    const contradicts = (event: RoutingEvent) =>
      (this.#parts.links?.contradicts(event) ?? false) || this.#overlays.contradicts(event);
    const routing = watchRouting(
      { topics: ['links', 'addresses', 'routes', 'neighbours', 'settings'], ...place },
      (events) => {
        if (events.some(contradicts)) doubt('routing');
        if (events.some((event) => this.#parts.links?.stopsForwarding(event))) doubt('settings');
      },
    );
    const table = this.#parts.nftables.watch(() => doubt('table'), namespace);
    const close = () => {
      routing.close();
      table?.close();
    };
    return { close, [Symbol.dispose]: close };
  }

  /** What, in words, the table holds otherwise than it should; undefined when nothing. */
  async auditTable(): Promise<string | undefined> {
    return (await this.#parts.nftables.audit()) ?? this.#parts.arp?.audit();
  }

  /** Compares links, routes and neighbours with what they should be, and returns in words what had to be set right. */
  repairRouting(): string[] {
    const state = this.#state;
    if (!state) return [];
    const { links, nftables } = this.#parts;
    // While rules did not know a link by its name, they permitted what nobody was asked for.
    const judgeAnew = () => nftables.judgeAnew();
    return [...this.#overlays.synchronise(state), ...(links?.repair(judgeAnew) ?? [])];
  }

  /** Sets back kernel settings of links, of whose change the kernel does not tell, and returns their keys. */
  async repairSettings(): Promise<string[]> {
    return (await this.#parts.links?.repairSettings()) ?? [];
  }
}
