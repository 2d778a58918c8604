// What others take out of connection tracking, as a DNS cache on every node does with questions to it and its answers: of a pod it is
// tracked all the same, because policies ask the connection. Its destination is translated by nobody, as with one that is not tracked:
// the cache has the address of a service, too.
import { type Chain, type Expression, type Rule, registers } from '../../kernel/index.ts';
import { hostU32 } from './bytes.ts';
import type { Marks } from './marks.ts';
import { chains } from './names.ts';
import { hasBits, untrackedBit, writeBits } from './packet-mark.ts';
import { isInState, isWorkload } from './packet-tests.ts';
import { addressRegister, isOfFamily } from './path/index.ts';

const names = {
  came: chains.fromPods.track,
  sent: 'cali-track-to-wl',
  kept: 'cali-track-destination',
} as const;

export const untrackedPodsChains: readonly Chain[] = [
  { name: names.came },
  // Right before connection tracking (-200), and behind all who may have said that there is to be none.
  { name: names.sent, hook: { type: 'filter', hook: 'output', priority: -201, policy: 'accept' } },
  // Before all who translate destinations.
  { name: names.kept, hook: { type: 'nat', hook: 'prerouting', priority: -102, policy: 'accept' } },
];

const register = registers.wide(0);
const track: readonly Expression[] = [
  { kind: 'immediate', to: register, value: hostU32(0).subarray(0, 2) },
  { kind: 'ct set', key: 'zone', from: register },
];

export function untrackedPodsRules(marks: Marks): Rule[] {
  return [
    { chain: names.came, expressions: writeBits(marks, untrackedBit, 0) },
    {
      chain: names.came,
      expressions: [...isInState('untracked'), ...writeBits(marks, 0, untrackedBit), ...track],
    },
    { chain: names.sent, expressions: [...isWorkload('oifname'), ...isInState('untracked'), ...track] },
    ...([4, 6] as const).map((family): Rule => {
      const [offset, length] = family === 4 ? [16, 4] : [24, 16];
      return {
        chain: names.kept,
        expressions: [
          ...isWorkload('iifname'),
          ...hasBits(marks, untrackedBit),
          ...isOfFamily(family),
          { kind: 'payload', base: 'network', offset, length, to: addressRegister },
          { kind: 'nat', side: 'destination', family, address: addressRegister },
        ],
      };
    }),
  ];
}
