// Writes a DSCP value into the packet in hand.
import { type Expression, registers } from '../../../kernel/index.ts';
import type { Family } from '../../../net/index.ts';

const register = registers.wide(0);

/**
 *   IPv4, first 16 bits: | version 4 | header length 4 | DSCP 6 | ECN 2 |   checksum at 10
 *   IPv6, first 16 bits: | version 4 | DSCP 6 | ECN 2 | flow label 4 |      no checksum
 */
export function dscpExpressions(family: Family, dscp: number): Expression[] {
  const [mask, value] = family === 4 ? [0xff03, dscp << 2] : [0xf03f, dscp << 6];
  const bytes = (word: number) => Uint8Array.of(word >>> 8, word & 0xff);
  return [
    { kind: 'payload', base: 'network', offset: 0, length: 2, to: register },
    { kind: 'bitwise', from: register, to: register, mask: bytes(mask), xor: bytes(value) },
    {
      kind: 'payload set',
      base: 'network',
      offset: 0,
      length: 2,
      from: register,
      ...(family === 4 && { checksumAt: 10 }),
    },
  ];
}
