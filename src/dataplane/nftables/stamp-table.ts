// Where packets get their stamps: see overtaken.ts. A table of its own, because whoever writes to a packet's mark has the kernel
// validate all of the table that does, which takes milliseconds for a table of policy and nothing for this one. Its chains come
// before all others that judge: a packet with a new stamp is judged by nothing old. Without this table, packets are judged all the
// same, but not again.
import type { Chain, Expression, Nftables, Transaction } from '../../kernel/index.ts';
import type { Marks } from './marks.ts';
import { jump } from './matches.ts';
import { type Stamp, stampExpressions } from './overtaken.ts';
import { isWorkload } from './packet-tests.ts';
import { firstDifference } from './table-difference.ts';
import { TableImage, type TableWriter } from './table-image.ts';
import { TableReading } from './table-reading.ts';

export const stampTable = { family: 'inet', name: 'calico-stamp' } as const;

const chain = 'cali-stamp';
const hooks = ['forward', 'input', 'output'] as const;
const priority = -30;

export interface Stamping {
  readonly stamp: Stamp;
  readonly marks: Marks;
  /** There are host endpoints: what the node sends to others than its pods is judged, too. */
  readonly hasHosts: boolean;
}

export class StampTable {
  readonly #kernel: Nftables;
  readonly #owned: boolean;
  /** Undefined while what the kernel holds is in doubt: the next change makes the table anew. */
  #written: Stamping | undefined;

  constructor(kernel: Nftables, owned: boolean) {
    this.#kernel = kernel;
    this.#owned = owned;
  }

  /** Leaves the transaction speaking of the table that it spoke of. When it is refused, `distrust` has to be called. */
  write(transaction: Transaction, stamping: Stamping): void {
    const before = this.#written;
    const isSame = before?.marks === stamping.marks && before.hasHosts === stamping.hasHosts;
    if (isSame && before.stamp === stamping.stamp) return;
    const { table } = transaction;
    transaction.table = stampTable;
    if (!isSame) {
      // Adding first makes the deletion succeed where there was no table.
      transaction.addTable();
      transaction.deleteTable();
      transaction.addTable({ owned: this.#owned });
      writeFrame(transaction, stamping);
    } else transaction.flushChain(chain);
    transaction.addRule({ chain, expressions: stampExpressions(stamping.marks, stamping.stamp) });
    transaction.table = table;
    this.#written = stamping;
  }

  distrust(): void {
    this.#written = undefined;
  }

  /** What, in words, the kernel holds otherwise than it was last told; undefined when nothing. */
  audit(): string | undefined {
    if (!this.#written) return 'nobody knows what stamps packets get';
    if (!this.#kernel.lookUpTable(stampTable)) return 'the table of stamps is gone';
    const image = new TableImage();
    writeFrame(image, this.#written);
    image.addRule({ chain, expressions: stampExpressions(this.#written.marks, this.#written.stamp) });
    const difference = firstDifference(image, TableReading.of(this.#kernel, stampTable));
    return difference && `stamps: ${difference}`;
  }
}

function writeFrame(writer: TableWriter, { hasHosts }: Stamping): void {
  writer.addChain({ name: chain });
  for (const hook of hooks) {
    const base: Chain = {
      name: `${chain}-${hook}`,
      hook: { type: 'filter', hook, priority, policy: 'accept' },
    };
    const judged: Expression[] = hook === 'output' && !hasHosts ? isWorkload('oifname') : [];
    writer.addChain(base);
    writer.addRule({ chain: base.name, expressions: [...judged, jump(chain)] });
  }
}
