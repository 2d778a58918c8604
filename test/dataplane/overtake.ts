// Makes every packet fare as if a change had overtaken it: it gets the stamp of a state that is gone. Holds until the next change.
import { defaultMarks } from '../../src/dataplane/nftables/marks.ts';
import { sets, table } from '../../src/dataplane/nftables/names.ts';
import { nextStamp, stampExpressions, stampIn } from '../../src/dataplane/nftables/overtaken.ts';
import { stampTable } from '../../src/dataplane/nftables/stamp-table.ts';
import { type Nftables, Transaction } from '../../src/kernel/index.ts';

export function overtakeAll(nftables: Nftables): void {
  const now = stampIn(defaultMarks, nftables.listElements(table, sets.stamp));
  const transaction = new Transaction(stampTable);
  transaction.flushChain('cali-stamp');
  transaction.addRule({
    chain: 'cali-stamp',
    expressions: stampExpressions(defaultMarks, nextStamp(defaultMarks, now)),
  });
  nftables.commit(transaction);
}
