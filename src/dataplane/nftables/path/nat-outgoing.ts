// NAT outgoing: what a pod of a pool with natOutgoing sends to anywhere outside of the pools leaves with the node's address.
import { type Chain, type Expression, type Rule, registers } from '../../../kernel/index.ts';
import { addressBytes, type Family, parseAddress } from '../../../net/index.ts';
import { networkU16 } from '../bytes.ts';
import { networkSetName } from './network-sets.ts';
import type { PathOptions } from './options.ts';
import { addressRegister, isEndIn, isInterface, isOfFamily, isOfProtocol } from './packet.ts';

const name = 'cali-nat-outgoing';

/** NF_IP_PRI_NAT_SRC, and before others that would translate the same. */
export const natOutgoingChain: Chain = {
  name,
  hook: { type: 'nat', hook: 'postrouting', priority: 99, policy: 'accept' },
};

// Registers without a wide name, so that the kernel tells them as they were told to it.
const [portMin, portMax] = [registers.narrow(5), registers.narrow(6)];
/** TCP, UDP, SCTP. */
const withPorts = [6, 17, 132];
const tunnels: Readonly<Record<Family, string>> = { 4: 'vxlan.calico', 6: 'vxlan-v6.calico' };

export function natOutgoingRules(options: PathOptions): Rule[] {
  return ([4, 6] as const).flatMap((family) => {
    const leaves = [
      ...isOfFamily(family),
      ...isInterface('oifname', options.natInterface),
      ...isEndIn(family, 'source', networkSetName('masqueraded', family)),
      ...isEndIn(family, 'destination', networkSetName('pools', family), { invert: true }),
      ...(options.natOutgoingExclusions === 'IPPoolsAndHostIPs'
        ? isEndIn(family, 'destination', networkSetName('nodes', family), { invert: true })
        : []),
    ];
    // A source that was chosen before a service's address was translated; answers would come back beside the tunnel.
    const fromNode = [
      ...isOfFamily(family),
      ...isInterface('oifname', tunnels[family]),
      ...isEndIn(family, 'source', networkSetName('nodes', family)),
    ];
    return [
      ...(options.natPorts
        ? withPorts.map((protocol) => ({
            chain: name,
            expressions: [...leaves, ...isOfProtocol(protocol), ...translation(family, options, true)],
          }))
        : []),
      { chain: name, expressions: [...leaves, ...translation(family, options, false)] },
      { chain: name, expressions: [...fromNode, { kind: 'masq', isRandom: true }] },
    ];
  });
}

/** Ports are drawn at random: two pods that open a connection at the same time would else want the same. */
function translation(
  family: Family,
  { natAddresses, natPorts }: PathOptions,
  hasPorts: boolean,
): Expression[] {
  const address = natAddresses[family];
  const ports = hasPorts && natPorts ? { portMin, portMax } : {};
  return [
    ...(hasPorts && natPorts
      ? [
          { kind: 'immediate', to: portMin, value: networkU16(natPorts.first) } as const,
          { kind: 'immediate', to: portMax, value: networkU16(natPorts.last) } as const,
        ]
      : []),
    ...(address
      ? [
          { kind: 'immediate', to: addressRegister, value: addressBytes(parseAddress(address)) } as const,
          {
            kind: 'nat',
            side: 'source',
            family,
            address: addressRegister,
            isRandom: true,
            ...ports,
          } as const,
        ]
      : [{ kind: 'masq', isRandom: true, ...ports } as const]),
  ];
}
