// Makes every packet fare as if a change had overtaken it: it gets the stamp of a state that is gone. Holds until the next change.
import { defaultMarks } from '../../src/dataplane/nftables/marks.ts';
import { hostChains, sets, table } from '../../src/dataplane/nftables/names.ts';
import { nextStamp, stampExpressions, stampIn } from '../../src/dataplane/nftables/overtaken.ts';
import { stampTable } from '../../src/dataplane/nftables/stamp-table.ts';
import { type Nftables, Transaction } from '../../src/kernel/index.ts';

/** "routed": after it was routed, and what was asked before was asked by a state that had nothing to say there. */
export type Overtaken = 'anywhere' | 'routed';

const { untrackedIn, untrackedInAgain, untrackedOut, untrackedOutAgain } = hostChains;
const { preDNAT, preDNATEarlyAgain, preDNATAgain } = hostChains;
const early: readonly string[] = [
  untrackedIn,
  untrackedInAgain,
  untrackedOut,
  untrackedOutAgain,
  preDNAT,
  preDNATEarlyAgain,
  preDNATAgain,
];

export function overtakeAll(nftables: Nftables, when: Overtaken): void {
  const now = stampIn(defaultMarks, nftables.listElements(table, sets.stamp));
  const transaction = new Transaction(stampTable);
  transaction.flushChain('cali-stamp');
  transaction.addRule({
    chain: 'cali-stamp',
    expressions: stampExpressions(defaultMarks, nextStamp(defaultMarks, now)),
  });
  nftables.commit(transaction);
  if (when === 'anywhere') return;
  const silence = new Transaction(table);
  const there = new Set(nftables.listChains(table).map(({ name }) => name));
  for (const name of early) if (there.has(name)) silence.flushChain(name);
  nftables.commit(silence);
}
