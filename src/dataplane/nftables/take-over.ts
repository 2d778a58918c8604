// How an agent that starts, or that no longer knows what the kernel holds, comes by its table. What an agent of the same
// layout left is adopted: only what differs is written, and base chains stay where they are. Any other table is replaced.
import {
  awaitPacketsInFlight,
  type Chain,
  type ListedTable,
  type Nftables,
  type Table,
  Transaction,
} from '../../kernel/index.ts';
import { defaultMarks, type Marks } from './marks.ts';
import { table } from './names.ts';
import { Switch } from './switch.ts';
import { differences, layoutDifference, writeDifferences } from './table-difference.ts';
import type { TableImage } from './table-image.ts';
import { TableReading } from './table-reading.ts';

/**
 * Stands on the table as its comment. Raise the number whenever the marks of connections or packets come to mean something else,
 * or a chain comes to rely on another in a new way: then nothing that an older build left is believed. Nor is what was marked by
 * other bits.
 */
function layoutOf({ ours }: Marks): string {
  const layout = 'calico-ts, layout 6';
  return ours === defaultMarks.ours ? layout : `${layout}, marks 0x${ours.toString(16).padStart(8, '0')}`;
}

export interface TakeOverOptions {
  /** Nobody else is to be able to change the table. */
  readonly owned: boolean;
  readonly marks: Marks;
}

/** Enforces while the table itself is replaced; there for no longer than that. */
const standIn = { family: 'inet', name: 'calico-stand-in' } as const;

/** Whether a table means what we would mean by it. */
export function isOfOurLayout(found: ListedTable, marks: Marks): boolean {
  return found.comment === layoutOf(marks);
}

/**
 * What the kernel holds, when it can be brought up to date object by object; the table is then ours, if it is to be owned.
 * Undefined when there is no table, or one that has to be replaced.
 * @throws Error when another process owns it, TransactionError, KernelError
 */
export function adoptTable(
  kernel: Nftables,
  image: TableImage,
  { owned, marks }: TakeOverOptions,
): TableReading | undefined {
  const found = kernel.lookUpTable(table);
  if (!found) return undefined;
  if (found.owner !== 0 && found.owner !== kernel.port) {
    throw new Error(
      `Cannot take over the nftables table "${table.name}": another process owns it, by netlink port ${found.owner}`,
    );
  }
  const canBeOurs = !owned || found.owner !== 0 || found.persistent;
  if (!isOfOurLayout(found, marks) || found.dormant || !canBeOurs) return undefined;
  if (owned && found.owner === 0) {
    // Before it is read, so that nobody changes it after that.
    const transaction = new Transaction(table);
    transaction.addTable({ owned });
    kernel.commit(transaction);
  }
  const held = TableReading.of(kernel, table);
  return layoutDifference(image, held) === undefined ? held : undefined;
}

/** @throws TransactionError; nothing has changed then */
export function updateTable(kernel: Nftables, image: TableImage, held: TableReading): void {
  const transaction = new Switch(table);
  writeDifferences(transaction, differences(image, held));
  transaction.commit(kernel);
}

/**
 * Makes the table from nothing, whatever it was. Where one is in force, another enforces the same beside it meanwhile: a new
 * base chain may come to stand before the old one that it replaces, and a packet between the two at that moment would be
 * judged by neither. An agent that is killed on the way leaves one or the other in force.
 * @throws TransactionError; what was enforced is then enforced still, or what was to be is, by the one beside it
 */
export function replaceTable(kernel: Nftables, image: TableImage, options: TakeOverOptions): void {
  if (baseChainsOf(kernel, table).length > 0) {
    removeStandIn(kernel);
    makeTable(kernel, image, standIn, { ...options, owned: false });
    retireTable(kernel, table);
  }
  makeTable(kernel, image, table, options);
  removeStandIn(kernel);
}

/** What an agent that was killed while it replaced its table has left behind. */
export function removeStandIn(kernel: Nftables): void {
  if (!kernel.lookUpTable(standIn)) return;
  retireTable(kernel, standIn);
  const transaction = new Transaction(standIn);
  transaction.deleteTable();
  kernel.commit(transaction);
}

/**
 * Lets no further packet into a table that is about to go, and waits until those have left that are in it: in a table that is
 * deleted they would go on by the old rules, find their maps empty, and be dropped.
 */
export function retireTable(kernel: Nftables, at: Table): void {
  const bases = baseChainsOf(kernel, at);
  if (bases.length === 0) return;
  const transaction = new Transaction(at);
  for (const { name } of bases) {
    transaction.flushChain(name);
    transaction.deleteChain(name);
  }
  kernel.commit(transaction);
  awaitPacketsInFlight();
}

function baseChainsOf(kernel: Nftables, at: Table): readonly Chain[] {
  if (!kernel.lookUpTable(at)) return [];
  return kernel.listChains(at).filter(({ hook }) => hook !== undefined);
}

/** Nothing of that name is in force. */
function makeTable(kernel: Nftables, image: TableImage, at: Table, { owned, marks }: TakeOverOptions): void {
  const empty = new Transaction(at);
  // Adding first makes the deletion succeed where there was no table.
  empty.addTable();
  empty.deleteTable();
  empty.addTable({ owned, comment: layoutOf(marks) });
  kernel.commit(empty);
  const content = new Switch(at);
  writeDifferences(content, differences(image, TableReading.ofNothing()));
  content.commit(kernel);
}
