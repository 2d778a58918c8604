// How a policy that many endpoints share tells the one that asked it to skip the rest of the tier: by a bit of the packet's
// mark, which is taken off again as soon as it has been read.
import { type Expression, registers } from '../../kernel/index.ts';
import { hostU32 } from './bytes.ts';
import type { Marks } from './marks.ts';
import { goTo } from './matches.ts';

/** Among the bits of ours. Off where judgement begins: see overtaken.ts. */
export const passBit = 2;
const register = registers.wide(0);
const loadMark: Expression = { kind: 'meta', key: 'mark', to: register };
const nothing = hostU32(0);

export function setPass(marks: Marks): Expression[] {
  return [
    loadMark,
    {
      kind: 'bitwise',
      from: register,
      to: register,
      mask: marks.without(passBit),
      xor: marks.of(passBit),
    },
    { kind: 'meta set', key: 'mark', from: register },
  ];
}

/** Goes to a chain when the policy that was asked last has passed. */
export function ifPassedGoTo(marks: Marks, chain: string): Expression[] {
  return [
    loadMark,
    { kind: 'bitwise', from: register, to: register, mask: marks.of(passBit), xor: nothing },
    { kind: 'cmp', comparison: '!=', register, value: nothing },
    loadMark,
    { kind: 'bitwise', from: register, to: register, mask: marks.without(passBit), xor: nothing },
    { kind: 'meta set', key: 'mark', from: register },
    goTo(chain),
  ];
}
