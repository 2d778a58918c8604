// The part of the table that is the same on every node at every time: base chains, dispatch, and what befalls a packet
// of a pod that nobody knows. Everything else hangs below this.
//
//   raw prerouting   cali-anti-spoof       a pod's packet carries one of the pod's addresses, or goes no further
//   forward          cali-forward-egress   sender's policy    -> cali-judged-egress
//                    cali-forward-ingress  receiver's policy  -> cali-judged-ingress
//   input            cali-input            sender's policy, for a pod that speaks to its node
//                    cali-input-host       what the node itself wants of its pods
//
// "accept" ends a base chain, not the packet's way: the next base chain still has its word. A packet of the reply
// direction is dispatched by the interface that its opposite would have come by.
import { type Chain, type Expression, type NftSet, type Rule, registers } from '../../kernel/index.ts';
import type { Direction } from '../../policy/index.ts';
import { hostU32 } from './bytes.ts';
import { isJudged } from './judgement.ts';
import { counter, goTo, jump, verdict } from './matches.ts';
import { chains, interfacePrefix, sets } from './names.ts';

export interface SkeletonOptions {
  /** What befalls a pod's packet to its own node after its policy: Felix' defaultEndpointToHostAction. */
  readonly endpointToHostAction: 'Drop' | 'Accept' | 'Return';
}

export const skeletonSets: readonly NftSet[] = [
  { name: sets.judged, key: ['mark'] },
  { name: sets.dispatch.egress, key: ['ifname'], verdicts: true },
  { name: sets.dispatch.ingress, key: ['ifname'], verdicts: true },
  { name: sets.sources[4], key: ['ifname', 'ipv4_addr'] },
  { name: sets.sources[6], key: ['ifname', 'ipv6_addr'] },
];

/** @throws Error for a name that is none of theirs */
export function skeletonSet(name: string): NftSet {
  const set = skeletonSets.find((candidate) => candidate.name === name);
  if (!set) throw new Error(`The table has no set "${name}"`);
  return set;
}

const hook = (name: 'prerouting' | 'forward' | 'input', priority: number) =>
  ({ type: 'filter', hook: name, priority, policy: 'accept' }) as const;

/** Before the filter chains of others (0), so that what they accept has passed here. */
const first = -10;

export const skeletonChains: readonly Chain[] = [
  { name: chains.mark.egress },
  { name: chains.mark.ingress },
  { name: chains.judged.egress },
  { name: chains.judged.ingress },
  // Before connection tracking (-200): a forged packet shall not leave a connection behind.
  { name: chains.antiSpoof, hook: hook('prerouting', -300) },
  { name: chains.egress, hook: hook('forward', first) },
  { name: chains.ingress, hook: hook('forward', first + 1) },
  { name: chains.input, hook: hook('input', first) },
  { name: chains.inputHost, hook: hook('input', first + 1) },
];

const register = registers.wide(0);

/** A pod's interface, by the beginning of its name. */
function isWorkload(key: 'iifname' | 'oifname', comparison: '==' | '!=' = '=='): Expression[] {
  const value = Uint8Array.from(Buffer.from(interfacePrefix));
  return [
    { kind: 'meta', key, to: register },
    { kind: 'cmp', comparison, register, value },
  ];
}

/** The connection's direction that the packet goes: IP_CT_DIR_ORIGINAL 0, IP_CT_DIR_REPLY 1. */
function goes(direction: 'original' | 'reply'): Expression[] {
  return [
    { kind: 'ct', key: 'direction', to: register },
    { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(direction === 'original' ? 0 : 1) },
  ];
}

/** NF_CT_STATE_INVALID_BIT */
const isInvalid: readonly Expression[] = [
  { kind: 'ct', key: 'state', to: register },
  { kind: 'bitwise', from: register, to: register, mask: hostU32(1), xor: hostU32(0) },
  { kind: 'cmp', comparison: '!=', register, value: hostU32(0) },
];

function dispatch(key: 'iifname' | 'oifname', direction: Direction): Expression[] {
  return [
    { kind: 'meta', key, to: register },
    { kind: 'lookup', set: sets.dispatch[direction], register, to: registers.verdict },
  ];
}

const accept = verdict('accept');
const drop = verdict('drop');

/** Neighbour discovery and multicast listening, without which IPv6 does not work on the link: ICMPv6 types of RFC 4861 and RFC 2710. */
function neighbourDiscovery(type: number): Expression[] {
  return [
    { kind: 'meta', key: 'l4proto', to: register },
    { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(58) },
    { kind: 'payload', base: 'transport', offset: 0, length: 1, to: register },
    { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(type) },
  ];
}
const linkTypes = [130, 131, 132, 133, 135, 136, 143];

/** fe80::/10, and "::" of a host that has no address yet. */
const isLinkLocal: readonly Expression[] = [
  { kind: 'payload', base: 'network', offset: 8, length: 16, to: register },
  {
    kind: 'bitwise',
    from: register,
    to: register,
    mask: Uint8Array.from([0xff, 0xc0, ...new Array<number>(14).fill(0)]),
    xor: new Uint8Array(16),
  },
  {
    kind: 'cmp',
    comparison: '==',
    register,
    value: Uint8Array.from([0xfe, 0x80, ...new Array<number>(14).fill(0)]),
  },
];
const isUnspecified: readonly Expression[] = [
  { kind: 'payload', base: 'network', offset: 8, length: 16, to: register },
  { kind: 'cmp', comparison: '==', register, value: new Uint8Array(16) },
];

function isFamily(nfproto: 2 | 10): Expression[] {
  return [
    { kind: 'meta', key: 'nfproto', to: register },
    { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(nfproto) },
  ];
}

function comesFrom(set: string, offset: number, length: number): Expression[] {
  return [
    { kind: 'meta', key: 'iifname', to: registers.narrow(0) },
    { kind: 'payload', base: 'network', offset, length, to: registers.narrow(4) },
    { kind: 'lookup', set, register: registers.narrow(0) },
  ];
}

export function skeletonRules({ endpointToHostAction }: SkeletonOptions): Rule[] {
  const rule = (chain: string, expressions: readonly Expression[], comment?: string): Rule => ({
    chain,
    expressions,
    ...(comment && { comment }),
  });
  const toJudged = (direction: Direction) => goTo(chains.judged[direction]);
  return [
    ...(['egress', 'ingress'] as const).flatMap((direction) => [
      rule(chains.judged[direction], [jump(chains.mark[direction])]),
      rule(chains.judged[direction], [accept]),
    ]),

    rule(chains.antiSpoof, [...isWorkload('iifname', '!='), accept]),
    rule(chains.antiSpoof, [...isFamily(2), ...comesFrom(sets.sources[4], 12, 4), accept]),
    rule(chains.antiSpoof, [...isFamily(10), ...comesFrom(sets.sources[6], 8, 16), accept]),
    ...linkTypes.flatMap((type) =>
      [isLinkLocal, isUnspecified].map((from) =>
        rule(chains.antiSpoof, [...isFamily(10), ...neighbourDiscovery(type), ...from, accept]),
      ),
    ),
    rule(chains.antiSpoof, [counter, drop], "source address is not the pod's"),

    rule(chains.egress, [...isJudged, accept], 'permitted by the present policy'),
    rule(chains.egress, [...isWorkload('iifname'), ...isInvalid, counter, drop]),
    rule(chains.egress, [...isWorkload('oifname'), ...isInvalid, counter, drop]),
    rule(chains.egress, [...goes('original'), ...dispatch('iifname', 'egress')]),
    rule(chains.egress, [...goes('reply'), ...dispatch('oifname', 'egress')]),
    rule(chains.egress, [...goes('original'), ...isWorkload('iifname'), counter, drop], 'unknown pod'),
    rule(chains.egress, [...goes('reply'), ...isWorkload('oifname'), counter, drop], 'unknown pod'),
    rule(
      chains.egress,
      [...goes('original'), ...isWorkload('oifname'), toJudged('egress')],
      'sender is not here',
    ),
    rule(
      chains.egress,
      [...goes('reply'), ...isWorkload('iifname'), toJudged('egress')],
      'sender is not here',
    ),
    rule(chains.egress, [...isWorkload('iifname'), counter, drop], 'not tracked'),
    rule(chains.egress, [...isWorkload('oifname'), counter, drop], 'not tracked'),

    rule(chains.ingress, [...isJudged, accept], 'permitted by the present policy'),
    rule(chains.ingress, [...goes('original'), ...dispatch('oifname', 'ingress')]),
    rule(chains.ingress, [...goes('reply'), ...dispatch('iifname', 'ingress')]),
    rule(chains.ingress, [...goes('original'), ...isWorkload('oifname'), counter, drop], 'unknown pod'),
    rule(chains.ingress, [...goes('reply'), ...isWorkload('iifname'), counter, drop], 'unknown pod'),
    rule(
      chains.ingress,
      [...goes('original'), ...isWorkload('iifname'), toJudged('ingress')],
      'receiver is not here',
    ),
    rule(
      chains.ingress,
      [...goes('reply'), ...isWorkload('oifname'), toJudged('ingress')],
      'receiver is not here',
    ),

    rule(chains.input, [...isJudged, accept], 'permitted by the present policy'),
    rule(chains.input, [...isWorkload('iifname', '!='), accept]),
    rule(chains.input, [...goes('reply'), accept], 'the node opened it: kubelet and its probes'),
    ...linkTypes.map((type) => rule(chains.input, [...neighbourDiscovery(type), accept])),
    rule(chains.input, [...isInvalid, counter, drop]),
    rule(chains.input, [...goes('original'), ...dispatch('iifname', 'egress')]),
    rule(chains.input, [counter, drop], 'unknown pod'),

    rule(chains.inputHost, [...isJudged, accept], 'permitted by the present policy'),
    rule(chains.inputHost, [...isWorkload('iifname', '!='), accept]),
    rule(chains.inputHost, [...goes('reply'), accept]),
    ...linkTypes.map((type) => rule(chains.inputHost, [...neighbourDiscovery(type), accept])),
    endpointToHostAction === 'Drop'
      ? rule(chains.inputHost, [counter, drop], 'defaultEndpointToHostAction is Drop')
      : rule(chains.inputHost, [toJudged('ingress')]),
  ];
}
