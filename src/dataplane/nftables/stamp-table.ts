// Where packets get their stamps: see overtaken.ts. A table of its own, because whoever writes to a packet's mark has the kernel
// validate all of the table that does, which takes milliseconds for a table of policy and nothing for this one. Its chains come
// before all others that judge: a packet with a new stamp is judged by nothing old. Without this table, packets are judged all the
// same, but not again.
import { type Expression, type Hook, type Nftables, type Rule, Transaction } from '../../kernel/index.ts';
import type { Marks } from './marks.ts';
import { jump } from './matches.ts';
import { keepStamp, type Stamp, stampExpressions } from './overtaken.ts';
import { isWorkload } from './packet-tests.ts';
import { firstDifference } from './table-difference.ts';
import { TableImage, type TableWriter } from './table-image.ts';
import { TableReading } from './table-reading.ts';

export const stampTable = { family: 'inet', name: 'calico-stamp' } as const;

const chain = 'cali-stamp';
const hooks = ['forward', 'input', 'output'] as const;
const priority = -30;
/** Before connections are tracked, and before whoever is asked then. */
const early = { hooks: ['prerouting', 'output'], priority: -299 } as const;

export interface Stamping {
  readonly stamp: Stamp;
  readonly marks: Marks;
  /** There are host endpoints: all is judged, and from when it comes to the node, or is sent. */
  readonly hasHosts: boolean;
}

export class StampTable {
  readonly #kernel: Nftables;
  readonly #owned: boolean;
  #written: Stamping | undefined;

  constructor(kernel: Nftables, owned: boolean) {
    this.#kernel = kernel;
    this.#owned = owned;
  }

  /** Makes the table anew, whatever the kernel holds. @throws TransactionError */
  make(stamping: Stamping): void {
    const transaction = new Transaction(stampTable);
    this.#make(transaction, stamping);
    this.#kernel.commit(transaction);
  }

  /**
   * Leaves the transaction speaking of the table that it spoke of. When that is refused, or it is not known what the kernel holds,
   * `make` comes next.
   */
  change(transaction: Transaction, stamping: Stamping): void {
    const before = this.#written;
    if (before?.stamp === stamping.stamp && before.hasHosts === stamping.hasHosts) return;
    const { table } = transaction;
    transaction.table = stampTable;
    if (before?.hasHosts !== stamping.hasHosts) this.#make(transaction, stamping);
    else {
      transaction.flushChain(chain);
      this.#stamp(transaction, stamping);
    }
    transaction.table = table;
  }

  /** What, in words, the kernel holds otherwise than it was last told; undefined when nothing. */
  audit(): string | undefined {
    if (!this.#written) return undefined;
    if (!this.#kernel.lookUpTable(stampTable)) return 'the table of stamps is gone';
    const image = new TableImage();
    writeFrame(image, this.#written);
    image.addRule(stampRule(this.#written));
    const difference = firstDifference(image, TableReading.of(this.#kernel, stampTable));
    return difference && `stamps: ${difference}`;
  }

  #make(transaction: Transaction, stamping: Stamping): void {
    // Adding first makes the deletion succeed where there was no table.
    transaction.addTable();
    transaction.deleteTable();
    transaction.addTable({ owned: this.#owned });
    writeFrame(transaction, stamping);
    this.#stamp(transaction, stamping);
  }

  #stamp(transaction: Transaction, stamping: Stamping): void {
    transaction.addRule(stampRule(stamping));
    this.#written = stamping;
  }
}

function stampRule({ marks, stamp }: Stamping): Rule {
  return { chain, expressions: stampExpressions(marks, stamp) };
}

function writeFrame(writer: TableWriter, { hasHosts, marks }: Stamping): void {
  const addBase = (name: string, hook: Hook['hook'], at: number, expressions: Expression[]) => {
    writer.addChain({ name, hook: { type: 'filter', hook, priority: at, policy: 'accept' } });
    writer.addRule({ chain: name, expressions });
  };
  writer.addChain({ name: chain });
  if (hasHosts)
    for (const hook of early.hooks) addBase(`${chain}-early-${hook}`, hook, early.priority, [jump(chain)]);
  for (const hook of hooks) {
    const judged: Expression[] = hook === 'output' ? isWorkload('oifname') : [];
    addBase(`${chain}-${hook}`, hook, priority, hasHosts ? keepStamp(marks) : [...judged, jump(chain)]);
  }
}
