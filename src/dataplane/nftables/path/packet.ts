// Questions about the packet in hand, and its ends, in the registers' own terms.
import { type Expression, registers } from '../../../kernel/index.ts';
import type { Cidr, Family } from '../../../net/index.ts';
import { hostU32, netmaskBytes, networkBytes, networkU16 } from '../bytes.ts';
import { interfacePrefix } from '../names.ts';

const register = registers.wide(0);

type Interface = 'iifname' | 'oifname';

/** By the whole name, or by its beginning where it ends in "+" (as iptables writes it) or "*" (as nft does); any when empty. */
export function isInterface(key: Interface, name: string): Expression[] {
  if (name === '') return [];
  const isPrefix = /[+*]$/.test(name);
  const value = Uint8Array.from(Buffer.from(isPrefix ? name.slice(0, -1) : `${name}\0`));
  return value.length === 0
    ? []
    : [
        { kind: 'meta', key, to: register },
        { kind: 'cmp', comparison: '==', register, value },
      ];
}

export function isPod(key: Interface): Expression[] {
  return isInterface(key, `${interfacePrefix}*`);
}

export function isOfFamily(family: Family): Expression[] {
  return [
    { kind: 'meta', key: 'nfproto', to: register },
    { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(family === 4 ? 2 : 10) },
  ];
}

export function isOfProtocol(protocol: number): Expression[] {
  return [
    { kind: 'meta', key: 'l4proto', to: register },
    { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(protocol) },
  ];
}

/** Of TCP, UDP and SCTP. */
export function hasDestinationPort(port: number): Expression[] {
  return [
    { kind: 'payload', base: 'transport', offset: 2, length: 2, to: register },
    { kind: 'cmp', comparison: '==', register, value: networkU16(port) },
  ];
}

function end(family: Family, side: 'source' | 'destination'): Expression {
  const [offset, length] = family === 4 ? [12, 4] : [8, 16];
  return {
    kind: 'payload',
    base: 'network',
    offset: side === 'source' ? offset : offset + length,
    length,
    to: register,
  };
}

export function isEndIn(
  family: Family,
  side: 'source' | 'destination',
  set: string,
  { invert = false } = {},
): Expression[] {
  return [end(family, side), { kind: 'lookup', set, register, ...(invert && { invert }) }];
}

/** The packet's end is in a net of the same family. */
export function isEndInNet(side: 'source' | 'destination', net: Cidr): Expression[] {
  const mask = netmaskBytes(net);
  return [
    end(net.family, side),
    { kind: 'bitwise', from: register, to: register, mask, xor: new Uint8Array(mask.length) },
    { kind: 'cmp', comparison: '==', register, value: networkBytes(net) },
  ];
}

/** Goes to what a map has for the packet's interface; on, where it has nothing. */
export function lookUpInterface(key: Interface, map: string): Expression[] {
  return [
    { kind: 'meta', key, to: register },
    { kind: 'lookup', set: map, register, to: registers.verdict },
  ];
}

export function lookUpEnd(family: Family, side: 'source' | 'destination', map: string): Expression[] {
  return [end(family, side), { kind: 'lookup', set: map, register, to: registers.verdict }];
}

/** NF_CT_STATE_BIT(IP_CT_NEW) */
const newBit = hostU32(8);

export const isConnectionNew: readonly Expression[] = [
  { kind: 'ct', key: 'state', to: register },
  { kind: 'bitwise', from: register, to: register, mask: newBit, xor: hostU32(0) },
  { kind: 'cmp', comparison: '!=', register, value: hostU32(0) },
];

/** What a translation translates to stands here: a register without a wide name, which the kernel tells as it was told to it. */
export const addressRegister = registers.narrow(9);
