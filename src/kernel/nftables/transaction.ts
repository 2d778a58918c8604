// A batch of changes to one table, of which the kernel makes all or none. Building one does no I/O.
import { MessageWriter, nlmAppend, nlmCreate, nlmRequest } from '../netlink/index.ts';
import {
  batchBegin,
  batchEnd,
  families,
  hooksOf,
  keyTypes,
  operations,
  setFlags,
  subsystemId,
  tableFlags,
  verdicts,
  verdictType,
} from './constants.ts';
import { writeElement, writeExpression } from './encode.ts';
import {
  type Chain,
  type Element,
  type KeyType,
  keyLength,
  type NftSet,
  type Rule,
  type Table,
  type TableOptions,
} from './objects.ts';

/** An attribute's length is 16 bits; elements beyond go into another message of the same batch. */
const elementBytesPerMessage = 60_000;
const maxCommentBytes = 127;

export class Transaction {
  /** What the next calls speak of: a transaction may change several tables, all of it or nothing. */
  table: Table;
  readonly #writer = new MessageWriter();
  /** What each message is about, by sequence number less one; texts are only made when one fails. */
  readonly #subjects: (readonly [verb: string, name: string, owner: string | undefined])[] = [];
  #setId = 0;
  /** For whose sake the next messages are: what a refusal of one of them is to be laid at the door of. */
  owner: string | undefined;

  constructor(table: Table) {
    this.table = table;
    this.#batch(batchBegin, 0);
  }

  /** Messages in it. */
  get size(): number {
    return this.#subjects.length;
  }

  /**
   * Without flags it does nothing where the table exists. `owned` makes the table the committing socket's: nobody else may
   * change it, and when the socket closes it stays, for the next owner to take by the same call. Needs a kernel that says so
   * to `Nftables.canOwnTables`. Fails where the table is another's, or was made without flags. A comment, of at most 127
   * bytes, is only kept where the table is made. FLAGS 2, USERDATA 6
   */
  addTable({ owned = false, comment }: TableOptions = {}): void {
    this.#begin(operations.newTable, nlmCreate, 'add table', this.table.name);
    this.#writer.string(1, this.table.name);
    if (owned) this.#writer.u32be(2, tableFlags.owner | tableFlags.persist);
    if (comment !== undefined) this.#writer.bytes(6, commentBytes(comment));
    this.#writer.end();
  }

  /** With all that is in it. Fails where there is no table. */
  deleteTable(): void {
    this.#begin(operations.deleteTable, 0, 'delete table', this.table.name);
    this.#writer.string(1, this.table.name).end();
  }

  /** Does nothing where such a chain exists. TABLE 1, NAME 3, HOOK 4 { HOOKNUM 1, PRIORITY 2 }, POLICY 5, TYPE 7 */
  addChain({ name, hook }: Chain): void {
    const writer = this.#begin(operations.newChain, nlmCreate, 'add chain', name);
    writer.string(1, this.table.name).string(3, name);
    if (hook) {
      writer
        .beginNested(4)
        .u32be(1, hooksOf(this.table.family).indexOf(hook.hook))
        .u32be(2, hook.priority >>> 0)
        .endNested();
      writer.u32be(5, verdicts[hook.policy]).string(7, hook.type);
    }
    writer.end();
  }

  /** Takes all rules out of a chain. */
  flushChain(name: string): void {
    this.#begin(operations.deleteRule, 0, 'flush chain', name)
      .string(1, this.table.name)
      .string(2, name)
      .end();
  }

  /** By the handle under which the kernel lists it. TABLE 1, CHAIN 2, HANDLE 3 */
  deleteRule(chain: string, handle: bigint): void {
    this.#begin(operations.deleteRule, 0, 'delete a rule of chain', chain)
      .string(1, this.table.name)
      .string(2, chain)
      .u64be(3, handle)
      .end();
  }

  /** Fails while a rule or a map refers to the chain, or a rule is in it. */
  deleteChain(name: string): void {
    this.#begin(operations.deleteChain, 0, 'delete chain', name)
      .string(1, this.table.name)
      .string(3, name)
      .end();
  }

  /** Behind the chain's other rules. TABLE 1, CHAIN 2, EXPRESSIONS 4, USERDATA 7 */
  addRule({ chain, expressions, comment }: Rule): void {
    const writer = this.#begin(operations.newRule, nlmCreate | nlmAppend, 'add a rule to chain', chain);
    writer.string(1, this.table.name).string(2, chain).beginNested(4);
    for (const expression of expressions) writeExpression(writer, expression);
    writer.endNested();
    if (comment !== undefined) writer.bytes(7, commentBytes(comment));
    writer.end();
  }

  /** TABLE 1, NAME 2, FLAGS 3, KEY_TYPE 4, KEY_LEN 5, DATA_TYPE 6, DATA_LEN 7, DESC 9 { SIZE 1 }, ID 10, USERDATA 13 */
  addSet({ name, key, interval, verdicts: isVerdictMap, size }: NftSet): void {
    const writer = this.#begin(operations.newSet, nlmCreate, 'add set', name);
    writer.string(1, this.table.name).string(2, name);
    writer.u32be(3, (interval ? setFlags.interval : 0) | (isVerdictMap ? setFlags.map : 0));
    writer
      .u32be(
        4,
        key.reduce((all, type) => (all << 6) | keyTypes[type], 0),
      )
      .u32be(5, keyLength(key));
    if (isVerdictMap) writer.u32be(6, verdictType).u32be(7, 0);
    if (size !== undefined) writer.beginNested(9).u32be(1, size).endNested();
    writer
      .u32be(10, ++this.#setId)
      .bytes(13, keyOrderHint(key))
      .end();
  }

  deleteSet(name: string): void {
    this.#begin(operations.deleteSet, 0, 'delete set', name).string(1, this.table.name).string(2, name).end();
  }

  /** Does nothing for those that are there already. */
  addElements(set: NftSet, elements: readonly Element[]): void {
    this.#elements(operations.newElement, nlmCreate, 'add elements to set', set, elements);
  }

  /** Fails when one of them is not there. */
  deleteElements(set: NftSet, elements: readonly Element[]): void {
    this.#elements(operations.deleteElement, 0, 'delete elements from set', set, elements);
  }

  /** The bytes to send, in one piece. */
  finish(): Buffer {
    this.#batch(batchEnd, this.#subjects.length + 1);
    return this.#writer.finish();
  }

  /** "add set cali40-x", for the message of that sequence number. */
  describe(sequence: number): string {
    const [verb, name] = this.#subjects[sequence - 1] ?? ['commit', this.table.name];
    return `${verb} "${name}"`;
  }

  ownerOf(sequence: number): string | undefined {
    return this.#subjects[sequence - 1]?.[2];
  }

  /** TABLE 1, SET 2, ELEMENTS 3 */
  #elements(operation: number, flags: number, verb: string, set: NftSet, elements: readonly Element[]): void {
    for (let next = 0; next < elements.length; ) {
      const writer = this.#begin(operation, flags, verb, set.name);
      writer.string(1, this.table.name).string(2, set.name).beginNested(3);
      while (next < elements.length && writer.nestedLength < elementBytesPerMessage) {
        const element = elements[next++];
        if (element) writeElement(writer, element);
      }
      writer.endNested().end();
    }
  }

  /** struct nfgenmsg { u8 family; u8 version; be16 res_id } follows the netlink header. */
  #begin(type: number, flags: number, verb: string, name: string): MessageWriter {
    this.#subjects.push([verb, name, this.owner]);
    const writer = this.#writer.begin(type, nlmRequest | flags, this.#subjects.length);
    return writer.headerU8(families[this.table.family]).headerU8(0).headerU16be(0);
  }

  #batch(type: number, sequence: number): void {
    this.#writer.begin(type, nlmRequest, sequence).headerU8(0).headerU8(0).headerU16be(subsystemId).end();
  }
}

/**
 * Tells `nft`, which would print the keys reversed otherwise, that they are in the host's order or in the network's: type 0
 * (NFTNL_UDATA_SET_KEYBYTEORDER), length, and 1 or 2 in the host's order. The kernel does not read it.
 */
function keyOrderHint([first]: readonly KeyType[]): Uint8Array {
  return Uint8Array.from([0, 4, first === 'mark' || first === 'ifname' ? 1 : 2, 0, 0, 0]);
}

/** A comment as nft stores it: type 0, length, text and its zero byte. */
function commentBytes(comment: string): Uint8Array {
  const text = Buffer.from(comment).subarray(0, maxCommentBytes);
  return Uint8Array.from([0, text.length + 1, ...text, 0]);
}
