// Packets in packets: the overlay's are taken from nodes alone, and none are taken from pods, which could else put whatever
// they like onto the wire of another node.
import type { Chain, Rule } from '../../../kernel/index.ts';
import { counter, verdict } from '../matches.ts';
import { chains } from '../names.ts';
import { networkSetName } from './network-sets.ts';
import type { PathOptions } from './options.ts';
import { hasDestinationPort, isEndIn, isEndInNet, isOfFamily, isOfProtocol } from './packet.ts';

const fromPods = chains.fromPods.encapsulation;
const toTunnel = 'cali-overlay-input';
const udp = 17;
/** IP-in-IP (RFC 2003); the same number says "an IPv4 packet" within IPv6. */
const ipInIp = 4;

export const encapsulationChains: readonly Chain[] = [
  { name: fromPods },
  { name: toTunnel, hook: { type: 'filter', hook: 'input', priority: -21, policy: 'accept' } },
];

export function encapsulationRules(options: PathOptions): Rule[] {
  const { vxlan, externalNodes, allowVxlanFromPods, allowIpipFromPods } = options;
  const drop = [counter, verdict('drop')];
  const isVxlan = [...isOfProtocol(udp), ...hasDestinationPort(vxlan.port)];
  const rules: Rule[] = [];
  if (!options.ipv6Support) {
    const comment = 'ipv6Support is false';
    rules.push({ chain: fromPods, expressions: [...isOfFamily(6), ...drop], comment });
  }
  if (!allowVxlanFromPods) {
    const comment = 'VXLAN from a pod';
    rules.push({ chain: fromPods, expressions: [...isVxlan, ...drop], comment });
  }
  if (!allowIpipFromPods) {
    const comment = 'IP-in-IP from a pod';
    const expressions = [...isOfProtocol(ipInIp), ...drop];
    rules.push({ chain: fromPods, expressions, comment });
  }
  for (const family of vxlan.families) {
    for (const net of externalNodes.filter((candidate) => candidate.family === family)) {
      const expressions = [...isOfFamily(family), ...isVxlan, ...isEndInNet('source', net)];
      rules.push({ chain: toTunnel, expressions: [...expressions, verdict('accept')] });
    }
    const isNode = isEndIn(family, 'source', networkSetName('nodes', family), { invert: true });
    rules.push({
      chain: toTunnel,
      expressions: [...isOfFamily(family), ...isVxlan, ...isNode, ...drop],
      comment: 'VXLAN from nobody who is a node',
    });
  }
  return rules;
}
