// Chains that take their time with every packet, so that a change finds packets on their way wherever it comes.
import { counter, jump } from '../../src/dataplane/nftables/matches.ts';
import { type Hook, type Nftables, Transaction } from '../../src/kernel/index.ts';

/** Before, between and behind the base chains of ours that judge. */
const slowPlaces: readonly (readonly [Hook['hook'], readonly number[]])[] = [
  ['prerouting', [-298, -297, -200, -150, -149, -148]],
  ['forward', [-25, -22, -21, -20, -19, -18, -17, -16, -15, -14, -13]],
  ['input', [-25, -20, -19, -18, -17, -16]],
  ['output', [-298, -297, -25, -20, -18, -17, -16]],
  ['postrouting', [-20, -18, -17]],
];

/** Adds a chain in which a packet passes this many rules to the third power. */
export function addSlowChain(transaction: Transaction, width: number): string {
  const [outer, middle, inner] = ['slow', 'slow-a', 'slow-b'] as const;
  for (const name of [inner, middle, outer]) transaction.addChain({ name });
  for (let n = 0; n < width; n++) {
    transaction.addRule({ chain: inner, expressions: [counter] });
    transaction.addRule({ chain: middle, expressions: [jump(inner)] });
    transaction.addRule({ chain: outer, expressions: [jump(middle)] });
  }
  return outer;
}

/** Slows packets down between all of our chains, by a table of another's. */
export function slowDown(nftables: Nftables, width: number): void {
  const transaction = new Transaction({ family: 'inet', name: 'slow' });
  transaction.addTable();
  const slow = addSlowChain(transaction, width);
  for (const [hook, priorities] of slowPlaces) {
    for (const priority of priorities) {
      const name = `${hook}-${-priority}`;
      transaction.addChain({ name, hook: { type: 'filter', hook, priority, policy: 'accept' } });
      transaction.addRule({ chain: name, expressions: [jump(slow)] });
    }
  }
  nftables.commit(transaction);
}
