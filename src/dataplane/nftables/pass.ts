// How a policy that many endpoints share tells the one that asked it to skip the rest of the tier: by a bit of the packet's
// mark, which is off where judgement begins (see overtaken.ts) and taken off again as soon as it has been read.
import type { Expression } from '../../kernel/index.ts';
import type { Marks } from './marks.ts';
import { goTo } from './matches.ts';
import { hasBits, passBit, writeBits } from './packet-mark.ts';

export function setPass(marks: Marks): Expression[] {
  return writeBits(marks, 0, passBit);
}

/** Goes to a chain when the policy that was asked last has passed. */
export function ifPassedGoTo(marks: Marks, chain: string): Expression[] {
  return [...hasBits(marks, passBit), ...writeBits(marks, passBit, 0), goTo(chain)];
}
