// Nobody is judged by half of one state of policy and half of another. The kernel brings a change of rules into force for each
// base chain when a packet next comes to one, and a change of sets for each lookup. So a packet that a change overtakes could be
// asked by its sender's old rules and its receiver's new ones, or miss a member in both of two sets that it changes between.
//
// A number, the stamp, stands for each state. It is on the packet's mark before judgement begins (see stamp-table.ts), and it is
// the member of a set that the same transaction changes as all the rest: as long as the set has a packet's stamp, whatever it
// was asked before was of that one state.
//
//   cali-forward-egress, cali-forward-ingress ...   judge; whom they deny they drop, or let go on if its stamp holds no more
//   cali-...-again, behind them                     let pass whose stamp holds; judge all others again, for good
//
// A change takes a hundred times what a packet does, so that none meets two of them on its way. What is denied before a packet
// is routed (doNotTrack, preDNAT) is not judged again; what preDNAT lets pass is asked again later, like all the rest.
import { type Element, type Expression, type NftSet, registers } from '../../kernel/index.ts';
import { hostU32, readHostU32 } from './bytes.ts';
import type { Marks } from './marks.ts';
import { verdict } from './matches.ts';
import { sets } from './names.ts';
import { passBit } from './pass.ts';

/** From 1 to the last that marks have room for; 0 is on packets that nobody has stamped. */
export type Stamp = number;

export const stampSet: NftSet = { name: sets.stamp, key: ['mark'] };

/** Among the bits of ours, beside those of host-skeleton.ts and pass.ts; stamps have all from there on. */
const againBit = 4;
const firstStamp = 8;

const register = registers.wide(0);
const loadMark: Expression = { kind: 'meta', key: 'mark', to: register };
const nothing = hostU32(0);

const stampBits = ({ lastStamp }: Marks) => lastStamp * firstStamp;

/** The stamp of the state after the present one. Numbers come again long after the packets that had them have gone. */
export function nextStamp({ lastStamp }: Marks, stamp: Stamp): Stamp {
  return (stamp % lastStamp) + 1;
}

/**
 * Gives the packet a stamp, whatever it had before; with stamp 0 none. Nor has any policy passed it yet: others may have written our
 * bits before we come, as who copies all of a connection's mark to its packets does.
 */
export function stampExpressions(marks: Marks, stamp: Stamp): Expression[] {
  return setBits(marks, stampBits(marks) | againBit | passBit, stamp * firstStamp);
}

/** The member of the set of stamps. Beside it is always that of stamp 0: a packet without one is overtaken by nothing. */
export function stampElements(marks: Marks, stamp: Stamp): Element[] {
  return [{ key: marks.of(stamp * firstStamp) }];
}

/** The greatest stamp among elements of the set, 0 when there is none. */
export function stampIn(marks: Marks, elements: readonly Element[]): Stamp {
  return Math.max(0, ...elements.map(({ key }) => Math.floor(marks.read(readHostU32(key)) / firstStamp)));
}

/** Lets whom a change has overtaken go on to be judged again, unless it is already. Whoever is let go on will be: its mark says so. */
export function letGoOn(marks: Marks): Expression[] {
  return [
    ...bits(marks, againBit),
    { kind: 'cmp', comparison: '==', register, value: nothing },
    ...bits(marks, stampBits(marks)),
    { kind: 'lookup', set: sets.stamp, register, invert: true },
    ...setBits(marks, againBit, againBit),
    verdict('accept'),
  ];
}

/** Holds for whom no change has overtaken since its judgement began, and who is not judged again. */
export function isOfOneState(marks: Marks): Expression[] {
  return [...bits(marks, stampBits(marks) | againBit), { kind: 'lookup', set: sets.stamp, register }];
}

/** The rules of a chain that judges again, before those by which it judges. */
export function judgesAgain(marks: Marks): Expression[][] {
  return [[...isOfOneState(marks), verdict('accept')], setBits(marks, againBit, againBit)];
}

function bits(marks: Marks, asked: number): Expression[] {
  return [loadMark, { kind: 'bitwise', from: register, to: register, mask: marks.of(asked), xor: nothing }];
}

function setBits(marks: Marks, cleared: number, set: number): Expression[] {
  return [
    loadMark,
    { kind: 'bitwise', from: register, to: register, mask: marks.without(cleared), xor: marks.of(set) },
    { kind: 'meta set', key: 'mark', from: register },
  ];
}
