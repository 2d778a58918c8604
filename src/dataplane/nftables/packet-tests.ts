// Questions about the packet in hand that several of the table's fixed chains ask.
import { type Expression, registers } from '../../kernel/index.ts';
import { hostU32 } from './bytes.ts';
import { interfacePrefix } from './names.ts';
import { isOfFamily } from './path/index.ts';

const register = registers.wide(0);

export type InterfaceKey = 'iifname' | 'oifname';

/** A pod's interface, by the beginning of its name. */
export function isWorkload(key: InterfaceKey): Expression[] {
  return beginsWith(key, '==', interfacePrefix);
}

/** Another workload's, of whom nothing is known but how its interface's name begins. */
export function isForeignWorkload(key: InterfaceKey, prefix: string): Expression[] {
  return [...beginsWith(key, '==', prefix), ...beginsWith(key, '!=', interfacePrefix)];
}

/** One of the node itself: no pod's, and no other workload's. */
export function isNoWorkload(key: InterfaceKey, foreign: readonly string[]): Expression[] {
  return [interfacePrefix, ...foreign].flatMap((prefix) => beginsWith(key, '!=', prefix));
}

function beginsWith(key: InterfaceKey, comparison: '==' | '!=', prefix: string): Expression[] {
  return [
    { kind: 'meta', key, to: register },
    { kind: 'cmp', comparison, register, value: Uint8Array.from(Buffer.from(prefix)) },
  ];
}

/** The connection's direction that the packet goes: IP_CT_DIR_ORIGINAL 0, IP_CT_DIR_REPLY 1. */
export function goes(direction: 'original' | 'reply'): Expression[] {
  return [
    { kind: 'ct', key: 'direction', to: register },
    { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(direction === 'original' ? 0 : 1) },
  ];
}

/** Bits of the connection's state, as NF_CT_STATE_BIT numbers them. */
const states = { invalid: 1, established: 2, related: 4, untracked: 64 } as const;

export function isInState(state: keyof typeof states): Expression[] {
  return [
    { kind: 'ct', key: 'state', to: register },
    { kind: 'bitwise', from: register, to: register, mask: hostU32(states[state]), xor: hostU32(0) },
    { kind: 'cmp', comparison: '!=', register, value: hostU32(0) },
  ];
}

/** Goes to what a map has for the packet's interface; on, where it has nothing. */
export function dispatch(key: InterfaceKey, map: string): Expression[] {
  return [
    { kind: 'meta', key, to: register },
    { kind: 'lookup', set: map, register, to: registers.verdict },
  ];
}

/** Neighbour discovery and multicast listening, without which IPv6 does not work on a link: ICMPv6 types of RFC 4861, 2710 and 3810. */
export const linkTypes = [130, 131, 132, 133, 135, 136, 143];
/** What routers say to hosts besides: advertisements and redirects. */
export const routerTypes = [134, 137];

/** An IPv4 packet of that protocol number is nobody's neighbour discovery. */
export function isIcmp6(type: number): Expression[] {
  return [
    ...isOfFamily(6),
    { kind: 'meta', key: 'l4proto', to: register },
    { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(58) },
    { kind: 'payload', base: 'transport', offset: 0, length: 1, to: register },
    { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(type) },
  ];
}
