// Neighbour discovery from pods: a pod may tell that it has its own addresses, and no others, and is nobody's router. Anti-spoofing
// sees the packet's source alone; what an advertisement claims stands inside of it. ARP, the same for IPv4, has a table of its own.
//
// Which link-layer address a pod tells is not asked, here or of ARP: a pod's link has two ends, and the node's table of
// neighbours is per link, so a lie keeps packets from the liar alone; and what the node has set down as permanent no message
// changes. Nor could all of it be asked: the option stands anywhere in a list, which nftables cannot walk.
import { type Chain, type Expression, type Rule, registers } from '../../../kernel/index.ts';
import { counter, verdict } from '../matches.ts';
import { chains, sets } from '../names.ts';
import { isOfFamily, isOfProtocol } from './packet.ts';

const name = chains.fromPods.neighbourDiscovery;
const register = registers.wide(0);
const icmpv6 = 58;
/** Neighbour advertisement, RFC 4861 section 4.4: the target stands at 8. */
const advertisement = 136;
const targetAt = 8;
/** Router advertisement and redirect: by these a pod would draw its node's traffic, where a node listens to routers. */
const routers = [134, 137];

const isMessage = (type: number): Expression[] => [
  ...isOfFamily(6),
  ...isOfProtocol(icmpv6),
  { kind: 'payload', base: 'transport', offset: 0, length: 1, to: register },
  { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(type) },
];

export const neighbourDiscoveryChain: Chain = { name };

export const neighbourDiscoveryRules: readonly Rule[] = [
  {
    chain: name,
    expressions: [
      ...isMessage(advertisement),
      // Link-local addresses are nobody's but the link's.
      { kind: 'payload', base: 'transport', offset: targetAt, length: 2, to: register },
      {
        kind: 'bitwise',
        from: register,
        to: register,
        mask: Uint8Array.of(0xff, 0xc0),
        xor: new Uint8Array(2),
      },
      { kind: 'cmp', comparison: '!=', register, value: Uint8Array.of(0xfe, 0x80) },
      { kind: 'meta', key: 'iifname', to: registers.narrow(0) },
      { kind: 'payload', base: 'transport', offset: targetAt, length: 16, to: registers.narrow(4) },
      { kind: 'lookup', set: sets.sources[6], register: registers.narrow(0), invert: true },
      counter,
      verdict('drop'),
    ],
    comment: "claims an address that is not the pod's",
  },
  ...routers.map((type) => ({
    chain: name,
    expressions: [...isMessage(type), counter, verdict('drop')],
    comment: 'a pod is no router',
  })),
];
