// Rules that the Calico which ran on this node before has left: chains and rules of its own among iptables' (as nf_tables holds
// them), and tables of its own. Ours enforce what is to be enforced; left beside them, the old ones would go on to enforce
// what was true when it stopped. Rules of others in the same chains stay as they are.
import { type ListedRule, type Nftables, type Table, Transaction, type Verdict } from '../../kernel/index.ts';

const families = ['ip', 'ip6'] as const;
const iptablesTables = ['raw', 'mangle', 'nat', 'filter'] as const;
/** Tables that were Calico's alone, in its nftables mode. */
const ownTable = 'calico';
const ownChains = 'cali-';
/** Begins the comment of every rule that Calico wrote into somebody else's chain. */
const ownComment = 'cali:';

/** Removes them, table by table, and returns in words what there was. @throws TransactionError when the kernel refuses */
export function removeLeftovers(kernel: Nftables): string[] {
  return families.flatMap((family) => [
    ...iptablesTables.flatMap((name) => removeFromShared(kernel, { family, name })),
    ...removeTable(kernel, { family, name: ownTable }),
  ]);
}

function removeFromShared(kernel: Nftables, table: Table): string[] {
  const chains = kernel.listChains(table).flatMap(({ name }) => (name.startsWith(ownChains) ? [name] : []));
  // kube-proxy's rules may be many: they are only read where there is something to find among them.
  if (chains.length === 0) return [];
  const rules = kernel.listRules(table).filter(({ chain }) => !chains.includes(chain));
  const own = rules.filter(isCalicos);
  const transaction = new Transaction(table);
  for (const { chain, handle } of own) transaction.deleteRule(chain, handle);
  // They may speak of each other: all are emptied before the first goes.
  for (const chain of chains) transaction.flushChain(chain);
  for (const chain of chains) transaction.deleteChain(chain);
  kernel.commit(transaction);
  return [`${chains.length} chains and ${own.length} rules in table "${table.family} ${table.name}"`];
}

function removeTable(kernel: Nftables, table: Table): string[] {
  if (!kernel.lookUpTable(table)) return [];
  const transaction = new Transaction(table);
  transaction.deleteTable();
  kernel.commit(transaction);
  return [`table "${table.family} ${table.name}"`];
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
