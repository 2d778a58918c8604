// What is noted on the mark of the packet in hand, by the bits of ours; all others are left as they are.
//
//   | stamp: state of policy when judgement began | judged again | a policy passed | taken out of connection tracking |
//     8 and up                                      4              2                 1
import { type Expression, registers } from '../../kernel/index.ts';
import { hostU32 } from './bytes.ts';
import type { Marks } from './marks.ts';

export const untrackedBit = 1;
export const passBit = 2;
export const againBit = 4;
/** The bit of stamp 1. */
export const firstStampBit = 8;

const register = registers.wide(0);
const loadMark: Expression = { kind: 'meta', key: 'mark', to: register };
const nothing = hostU32(0);

/** Takes bits off the mark and puts others on. */
export function writeBits(marks: Marks, off: number, on: number): Expression[] {
  return [
    loadMark,
    { kind: 'bitwise', from: register, to: register, mask: marks.without(off | on), xor: marks.of(on) },
    { kind: 'meta set', key: 'mark', from: register },
  ];
}

/** Makes these the only ones of ours, whoever wrote any. */
export function setBits(marks: Marks, on: number): Expression[] {
  return writeBits(marks, 2 ** 16 - 1, on);
}

/** Takes all of ours off, whoever wrote them. */
export function clearBits(marks: Marks): Expression[] {
  return setBits(marks, 0);
}

/** Of these bits, those that are on, to a register for the next expression. */
export function readBits(marks: Marks, asked: number): Expression[] {
  return [loadMark, { kind: 'bitwise', from: register, to: register, mask: marks.of(asked), xor: nothing }];
}

/** Holds when one of the bits is on, or else when none is. */
export function hasBits(marks: Marks, asked: number, isOn = true): Expression[] {
  return [
    ...readBits(marks, asked),
    { kind: 'cmp', comparison: isOn ? '!=' : '==', register, value: nothing },
  ];
}
