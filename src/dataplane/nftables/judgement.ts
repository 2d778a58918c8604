// How a connection remembers that it was permitted, and by which state of policy.
//
//   connection mark   | generation (15 bits) | stage (1 bit) | 16 bits of others |
//                      31                  17        16        15              0
//
// or wherever else the sixteen bits of ours are: see marks.ts.
//
// A connection whose mark says "present generation, stage 1" is let through at once; any other is judged, whatever its age.
// Where judgement begins stage 0 is noted, and where it ends, which nobody reaches whom some policy forbids to, a stage 0 of
// the same generation turns into stage 1. On a node with host endpoints, which have their say before and after, judgement
// begins and ends elsewhere than on others.
//
// A change of policy goes to generation 0 in its own transaction: what it forbids is cut at that moment, and what it permits
// goes on. Nothing is remembered then, because the kernel does not bring all of a transaction into force in one moment
// (ranges in sets come last), and packets may be under way that were judged in part by what stood before. When these have
// left, the next generation begins.
import { type Element, type Expression, registers } from '../../kernel/index.ts';
import { hostU32, readHostU32 } from './bytes.ts';
import type { Marks } from './marks.ts';
import { sets } from './names.ts';

/** A state of policy, 1 to the last that marks have room for; 0 means that connections remember nothing and every packet is judged. */
export type Generation = number;

const register = registers.wide(0);
const other = registers.wide(1);

function markOf(marks: Marks, generation: Generation, stage: 0 | 1): Uint8Array {
  return marks.of((generation << 1) | stage);
}

const loadMark: Expression = { kind: 'ct', key: 'mark', to: register };
const nothing = hostU32(0);

/** Holds for a packet whose connection the present policy has permitted, in both directions. */
export function isJudged({ ours }: Marks): Expression[] {
  return [
    loadMark,
    { kind: 'bitwise', from: register, to: register, mask: hostU32(ours), xor: nothing },
    { kind: 'lookup', set: sets.judged, register },
  ];
}

/** The one member of the set of permitted marks; none in generation 0. */
export function judgedElements(marks: Marks, generation: Generation): Element[] {
  return generation === 0 ? [] : [{ key: markOf(marks, generation, 1) }];
}

/** The generation that an element of the set of permitted marks stands for. */
export function generationOf(marks: Marks, { key }: Element): Generation {
  return marks.read(readHostU32(key)) >>> 1;
}

/**
 * What is noted on the connection where its judgement begins and where it ends. Made of expressions that the kernel need not
 * validate against the table's other chains, because this is rewritten at every change.
 */
export function markExpressions(marks: Marks, step: 'begin' | 'done', generation: Generation): Expression[] {
  const note = (stage: 0 | 1): Expression[] => [
    {
      kind: 'bitwise',
      from: register,
      to: register,
      mask: hostU32(~marks.ours >>> 0),
      xor: markOf(marks, generation, stage),
    },
    { kind: 'ct set', key: 'mark', from: register },
  ];
  if (step === 'begin') return [loadMark, ...note(0)];
  return [
    loadMark,
    { kind: 'bitwise', from: register, to: other, mask: hostU32(marks.ours), xor: nothing },
    { kind: 'cmp', comparison: '==', register: other, value: markOf(marks, generation, 0) },
    ...note(1),
  ];
}
