// The kernel's nf_tables in one network namespace: commits transactions and lists what is there.

import { errno, errnoName, KernelError } from '../ffi.ts';
import {
  Attributes,
  faultError,
  MessageWriter,
  type NetlinkFault,
  NetlinkSocket,
  type NetlinkSocketOptions,
  netlinkNetfilter,
} from '../netlink/index.ts';
import { families, operations } from './constants.ts';
import { readChain, readElements, readRule, readSet, readTable } from './decode.ts';
import type { Chain, Element, ForeignChain, ListedRule, ListedTable, NftSet, Table } from './objects.ts';
import { Transaction } from './transaction.ts';

/** The kernel refused a transaction: nothing of it was done. */
export class TransactionError extends Error {
  override readonly name = 'TransactionError';
  /** What the kernel refused, one sentence each; what follows a first refusal is often only its consequence. */
  readonly refusals: readonly string[];
  /** Whose the first refused message is, as the transaction's maker said; undefined when it did not say. */
  readonly owner: string | undefined;
  /** Errno of the first refusal, by name. */
  readonly code: string;

  constructor(transaction: Transaction, faults: readonly NetlinkFault[]) {
    const refusals = faults.map(
      (fault) => faultError(`Cannot ${transaction.describe(fault.sequence)}`, fault).message,
    );
    const more = refusals.length > 1 ? `, and ${refusals.length - 1} more refusals` : '';
    super(`The kernel refused a transaction of ${transaction.size} changes: ${refusals[0]}${more}`);
    this.refusals = refusals;
    this.owner = faults[0] && transaction.ownerOf(faults[0].sequence);
    this.code = errnoName(faults[0]?.errno ?? 0);
  }
}

const nfgenmsgBytes = 4;
const ipFamilies = ['ip', 'ip6', 'inet'] as const;

export class Nftables implements Disposable {
  readonly #socket: NetlinkSocket;

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** @throws KernelError when the kernel has no netfilter netlink or denies it to us */
  static open(options?: NetlinkSocketOptions): Nftables {
    return new Nftables(NetlinkSocket.open(netlinkNetfilter, options));
  }

  /** @throws TransactionError when the kernel refuses any part of it; nothing is done then */
  commit(transaction: Transaction): void {
    if (transaction.size === 0) return;
    const { faults } = this.#socket.request(transaction.finish());
    if (faults.length > 0) throw new TransactionError(transaction, faults);
  }

  /** Whether the kernel has tables that only one socket may change and that outlive it. Asks by making one and taking it back. */
  canOwnTables(): boolean {
    const probe = new Transaction({ family: 'inet', name: `probe-${process.pid}` });
    probe.addTable({ owned: true });
    probe.deleteTable();
    return this.#socket.request(probe.finish()).faults.length === 0;
  }

  /** Undefined when there is no such table. NAME 1, FLAGS 2, USERDATA 6, OWNER 7 */
  lookUpTable(table: Table): ListedTable | undefined {
    const [found] = this.#list(operations.getTable, table, 'flags', (all) =>
      all.string(1) === table.name ? [readTable(all)] : [],
    );
    return found;
  }

  /** The address of our socket among netlink's; 0 before its first message. */
  get port(): number {
    return this.#socket.port;
  }

  /** Empty when there is no such table. */
  listChains(table: Table): Chain[] {
    return this.#list(operations.getChain, table, 'chains', (all) =>
      all.string(1) === table.name ? [readChain(all, table.family)] : [],
    );
  }

  /** Base chains that see IP packets, of every table whoever made it. Asked of AF_UNSPEC, the kernel tells of all families. */
  listBaseChains(): ForeignChain[] {
    const writer = new MessageWriter(256).begin(operations.getChain, 0, 0);
    writer.headerU8(0).headerU8(0).headerU16be(0);
    const decode = ({ payload }: { payload: Buffer }): ForeignChain | undefined => {
      const family = ipFamilies.find((name) => families[name] === payload[0]);
      const attributes = new Attributes(payload, nfgenmsgBytes);
      const { name, hook } = readChain(attributes, family ?? 'inet');
      if (!family || !hook) return undefined;
      return { table: { family, name: attributes.string(1) ?? '' }, name, hook };
    };
    return this.#socket.dump(writer.end().finish(), decode, 'Cannot list base chains');
  }

  /** Of all chains, in their order; empty when there is no such table. */
  listRules(table: Table): ListedRule[] {
    return this.#list(operations.getRule, table, 'rules', (all) =>
      all.string(1) === table.name ? [readRule(all)] : [],
    );
  }

  /** Sets and maps that have a name, not those that belong to a rule; empty when there is no such table. */
  listSets(table: Table): NftSet[] {
    return this.#list(operations.getSet, table, 'sets', (all) => readSet(all) ?? []);
  }

  /** Empty when there is no such set, or no such table. */
  listElements(table: Table, set: string): Element[] {
    return this.#list(operations.getElement, table, `elements of set "${set}"`, readElements, set);
  }

  get isOpen(): boolean {
    return this.#socket.isOpen;
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** All listings take TABLE as attribute 1; that of elements takes SET as 2. */
  #list<T>(
    operation: number,
    table: Table,
    objects: string,
    read: (attributes: Attributes) => T | T[],
    set?: string,
  ): T[] {
    const writer = new MessageWriter(256).begin(operation, 0, 0);
    writer.headerU8(families[table.family]).headerU8(0).headerU16be(0).string(1, table.name);
    if (set !== undefined) writer.string(2, set);
    const what = `Cannot list ${objects} of table "${table.name}"`;
    try {
      const decode = ({ payload }: { payload: Buffer }) => read(new Attributes(payload, nfgenmsgBytes));
      return this.#socket.dump(writer.end().finish(), decode, what).flat() as T[];
    } catch (error) {
      if (error instanceof KernelError && error.errno === errno.ENOENT) return [];
      throw error;
    }
  }
}
