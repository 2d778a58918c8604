// How a policy that many endpoints share tells the one that asked it to skip the rest of the tier: by a bit of the packet's
// mark, which is taken off again as soon as it has been read.
import { type Expression, registers } from '../../kernel/index.ts';
import { hostU32 } from './bytes.ts';
import { goTo } from './matches.ts';

/** Within upstream's default mark mask, 0xffff0000. */
const passBit = 0x00020000;
const register = registers.wide(0);
const loadMark: Expression = { kind: 'meta', key: 'mark', to: register };
const bit = hostU32(passBit);
const others = hostU32(~passBit >>> 0);
const nothing = hostU32(0);

export const setPass: readonly Expression[] = [
  loadMark,
  { kind: 'bitwise', from: register, to: register, mask: others, xor: bit },
  { kind: 'meta set', key: 'mark', from: register },
];

/** Goes to a chain when the policy that was asked last has passed. */
export function ifPassedGoTo(chain: string): Expression[] {
  return [
    loadMark,
    { kind: 'bitwise', from: register, to: register, mask: bit, xor: nothing },
    { kind: 'cmp', comparison: '!=', register, value: nothing },
    loadMark,
    { kind: 'bitwise', from: register, to: register, mask: others, xor: nothing },
    { kind: 'meta set', key: 'mark', from: register },
    goTo(chain),
  ];
}
