// Nobody is judged by half of one state of policy and half of another. The kernel brings a change of rules into force for each
// base chain when a packet next comes to one, and a change of sets for each lookup. So a packet that a change overtakes could be
// asked by its sender's old rules and its receiver's new ones, or miss a member in both of two sets that it changes between.
//
// A number, the stamp, stands for each state. It is on the packet's mark before judgement begins (see stamp-table.ts), and it is
// the member of a set that the same transaction changes as all the rest: as long as the set has a packet's stamp, whatever it
// was asked before was of that one state.
//
//   cali-forward-egress, cali-forward-ingress ...   judge; whom they deny they drop, or let go on if its stamp holds no more
//   cali-...-overtaken, behind them                 decides: whose stamp holds has been judged, whose does not is judged again
//   cali-...-again, behind that                     judge again, all of it and for good
//
// It is decided in one place, for all that a hook asks: were each question to look at the stamp by itself, one of them could find it
// as it was and the next one not, and both states would be asked for half.
//
// No packet meets two changes on its way: the next one comes when all have left that the last may have overtaken (`overtaking` in
// driver.ts). A node with host endpoints asks before a packet is routed, too: there it gets its stamp as soon as it comes, or is
// sent (see early-chains.ts).
import { type Element, type Expression, type NftSet, registers } from '../../kernel/index.ts';
import { readHostU32 } from './bytes.ts';
import type { Marks } from './marks.ts';
import { verdict } from './matches.ts';
import { sets } from './names.ts';
import { againBit, firstStampBit, hasBits, passBit, readBits, setBits, writeBits } from './packet-mark.ts';

/** From 1 to the last that marks have room for; 0 is on packets that nobody has stamped, or whose judgement is over. */
export type Stamp = number;

export const stampSet: NftSet = { name: sets.stamp, key: ['mark'] };

const register = registers.wide(0);
const stampBits = ({ lastStamp }: Marks) => lastStamp * firstStampBit;

/** The stamp of the state after the present one. Numbers come again long after the packets that had them have gone. */
export function nextStamp({ lastStamp }: Marks, stamp: Stamp): Stamp {
  return (stamp % lastStamp) + 1;
}

/**
 * Gives the packet a stamp, whatever it had before. Nothing else is noted on it yet: others may have written our bits before we
 * come, as who copies all of a connection's mark to its packets does.
 */
export function stampExpressions(marks: Marks, stamp: Stamp): Expression[] {
  return setBits(marks, stamp * firstStampBit);
}

/** Where the packet comes to a later hook with its stamp: what is noted of its judgement in the one before is over. */
export function keepStamp(marks: Marks): Expression[] {
  return writeBits(marks, againBit | passBit, 0);
}

/**
 * The member of the set of stamps. On a node without host endpoints that of stamp 0 is another: not all are stamped there, and who
 * is not is overtaken by nothing. With them a packet without a stamp came before the first of them was there.
 */
export function stampElements(marks: Marks, stamp: Stamp): Element[] {
  return [{ key: marks.of(stamp * firstStampBit) }];
}

/** The greatest stamp among elements of the set, 0 when there is none. */
export function stampIn(marks: Marks, elements: readonly Element[]): Stamp {
  return Math.max(0, ...elements.map(({ key }) => Math.floor(marks.read(readHostU32(key)) / firstStampBit)));
}

/** Lets whom a change has overtaken go on to be judged again, unless it is already. Nobody else need ask it before: its mark says so. */
export function letGoOn(marks: Marks): Expression[] {
  return [
    ...hasBits(marks, againBit, false),
    ...readBits(marks, stampBits(marks)),
    { kind: 'lookup', set: sets.stamp, register, invert: true },
    ...writeBits(marks, 0, againBit),
    verdict('accept'),
  ];
}

/** Lets pass whom no change has overtaken since its judgement began; all others are to be judged again. */
export function decide(marks: Marks): Expression[][] {
  const isOfOneState: Expression[] = [
    ...readBits(marks, stampBits(marks) | againBit),
    { kind: 'lookup', set: sets.stamp, register },
  ];
  return [[...isOfOneState, verdict('accept')], writeBits(marks, 0, againBit)];
}

/** Whether it has been decided that the packet is judged again. */
export function isJudgedAgain(marks: Marks, isSo = true): Expression[] {
  return hasBits(marks, againBit, isSo);
}
