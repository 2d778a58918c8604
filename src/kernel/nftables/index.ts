// nf_tables as the kernel has it: objects, transactions, listings.
export {
  type Expression,
  registers,
  type TupleDirection,
  type TupleKey,
  type Verdict,
} from './expression.ts';
export { Nftables, TransactionError } from './nftables.ts';
export type {
  Chain,
  Element,
  ForeignChain,
  Hook,
  KeyType,
  ListedRule,
  ListedTable,
  NftSet,
  Rule,
  Table,
  TableOptions,
} from './objects.ts';
export { Transaction } from './transaction.ts';
export { type TableWatchOptions, watchTable } from './watch-table.ts';
