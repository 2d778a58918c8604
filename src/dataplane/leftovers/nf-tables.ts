// Rules that the Calico which ran on this node before has left in nf_tables: chains and rules of its own among iptables', and tables of
// its own. Ours enforce what is to be enforced; left beside them, the old ones would go on to enforce what was true when it stopped.
// Rules of others in the same chains stay as they are.
import {
  type Chain,
  type ListedRule,
  type Nftables,
  type Table,
  Transaction,
  type Verdict,
} from '../../kernel/index.ts';
import { retireTable } from '../nftables/take-over.ts';
import { type Leftover, warningOf } from './leftover.ts';

const families = ['ip', 'ip6'] as const;
const iptablesTables = ['raw', 'mangle', 'nat', 'filter'] as const;
/** Tables that were Calico's alone, in its nftables mode. */
const ownTable = 'calico';
const ownChains = 'cali-';
/** Begins the comment of every rule that Calico wrote into somebody else's chain. */
const ownComment = 'cali:';

export function findInNfTables(kernel: Nftables): Leftover[] {
  return families.flatMap((family) => [
    ...iptablesTables.flatMap((name) => findAmongIptables(kernel, { family, name })),
    ...findTable(kernel, { family, name: ownTable }),
  ]);
}

interface Shared {
  readonly chains: readonly string[];
  /** In chains of others. */
  readonly rules: readonly ListedRule[];
  readonly dropping: Chain | undefined;
}

function findAmongIptables(kernel: Nftables, table: Table): Leftover[] {
  const shared = lookInto(kernel, table);
  if (!shared) return [];
  const { chains, rules, dropping } = shared;
  return [
    {
      what: `${chains.length} chains and ${rules.length} rules in table "${table.family} ${table.name}"`,
      ...(dropping && {
        warning: warningOf(`Chain "${dropping.name}" of table "${table.family} ${table.name}"`),
      }),
      remove: () => removeFromShared(kernel, table),
    },
  ];
}

/** Undefined when nothing of Calico's is there. */
function lookInto(kernel: Nftables, table: Table): Shared | undefined {
  const all = kernel.listChains(table);
  const chains = all.flatMap(({ name }) => (name.startsWith(ownChains) ? [name] : []));
  // kube-proxy's rules may be many: they are only read where there is something to find among them.
  if (chains.length === 0) return undefined;
  const rules = kernel.listRules(table).filter((rule) => !chains.includes(rule.chain) && isCalicos(rule));
  const dropping = all.find(({ hook }) => hook?.hook === 'forward' && hook.policy === 'drop');
  return { chains, rules, dropping };
}

function removeFromShared(kernel: Nftables, table: Table): void {
  const shared = lookInto(kernel, table);
  if (!shared) return;
  const transaction = new Transaction(table);
  for (const { chain, handle } of shared.rules) transaction.deleteRule(chain, handle);
  // They may speak of each other: all are emptied before the first goes.
  for (const chain of shared.chains) transaction.flushChain(chain);
  for (const chain of shared.chains) transaction.deleteChain(chain);
  kernel.commit(transaction);
}

function findTable(kernel: Nftables, table: Table): Leftover[] {
  if (!kernel.lookUpTable(table)) return [];
  return [{ what: `table "${table.family} ${table.name}"`, remove: () => removeTable(kernel, table) }];
}

function removeTable(kernel: Nftables, table: Table): void {
  if (!kernel.lookUpTable(table)) return;
  retireTable(kernel, table);
  const transaction = new Transaction(table);
  transaction.deleteTable();
  kernel.commit(transaction);
}

function isCalicos({ expressions, comment }: ListedRule): boolean {
  if (comment?.startsWith(ownComment)) return true;
  return expressions.some((expression) => {
    if (expression.kind === 'verdict') return chainOf(expression.verdict)?.startsWith(ownChains);
    // iptables keeps comments in a match of its own, as text.
    return expression.kind === 'other' && Buffer.from(expression.data).includes(ownComment);
  });
}

function chainOf(verdict: Verdict): string | undefined {
  return typeof verdict === 'object' && 'chain' in verdict ? verdict.chain : undefined;
}
