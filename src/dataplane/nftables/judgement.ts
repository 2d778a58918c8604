// How a connection remembers that it was permitted, and by which state of policy.
//
//   connection mark   | generation (15 bits) | stage (1 bit) | 16 bits of others |
//                      31                  17        16        15              0
//
// A connection whose mark says "present generation, stage 1" is let through at once; any other is judged, whatever its age:
// first its sender's policy, which notes stage 0, then its receiver's, which turns a stage 0 of the same generation into
// stage 1. On a node with host endpoints, which have their say before and after, the same is done where a packet's way begins
// and where it ends.
//
// A change of policy goes to generation 0 in its own transaction: what it forbids is cut at that moment, and what it permits
// goes on. Nothing is remembered then, because the kernel does not bring all of a transaction into force in one moment
// (ranges in sets come last), and packets may be under way that were judged in part by what stood before. When these have
// left, the next generation begins.
import { endianness } from 'node:os';
import { type Element, type Expression, registers } from '../../kernel/index.ts';
import { hostU32 } from './bytes.ts';
import { sets } from './names.ts';

/** The bits of connection marks that are ours: upstream's default mark mask. */
export const markMask = 0xffff0000;

/** A state of policy, 1 to `lastGeneration`; 0 means that connections remember nothing and every packet is judged. */
export type Generation = number;

export const lastGeneration: Generation = 0x7fff;

const register = registers.wide(0);
const other = registers.wide(1);

function markOf(generation: Generation, stage: 0 | 1): Uint8Array {
  return hostU32(((generation << 17) | (stage << 16)) >>> 0);
}

const loadMark: Expression = { kind: 'ct', key: 'mark', to: register };
const ours = hostU32(markMask);
const theirs = hostU32(~markMask >>> 0);
const nothing = hostU32(0);

/** Holds for a packet whose connection the present policy has permitted, in both directions. */
export const isJudged: readonly Expression[] = [
  loadMark,
  { kind: 'bitwise', from: register, to: register, mask: ours, xor: nothing },
  { kind: 'lookup', set: sets.judged, register },
];

/** The one member of the set of permitted marks; none in generation 0. */
export function judgedElements(generation: Generation): Element[] {
  return generation === 0 ? [] : [{ key: markOf(generation, 1) }];
}

/** The generation that an element of the set of permitted marks stands for. */
export function generationOf({ key }: Element): Generation {
  return new DataView(key.buffer, key.byteOffset).getUint32(0, endianness() === 'LE') >>> 17;
}

/**
 * What is noted on the connection by the first and by the last of those who judge it. Made of expressions that the kernel need not
 * validate against the table's other chains, because this is rewritten at every change.
 */
export function markExpressions(step: 'first' | 'last', generation: Generation): Expression[] {
  const note = (stage: 0 | 1): Expression[] => [
    { kind: 'bitwise', from: register, to: register, mask: theirs, xor: markOf(generation, stage) },
    { kind: 'ct set', key: 'mark', from: register },
  ];
  if (step === 'first') return [loadMark, ...note(0)];
  return [
    loadMark,
    { kind: 'bitwise', from: register, to: other, mask: ours, xor: nothing },
    { kind: 'cmp', comparison: '==', register: other, value: markOf(generation, 0) },
    ...note(1),
  ];
}
