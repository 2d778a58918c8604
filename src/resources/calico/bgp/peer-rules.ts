// What the fields of a BGPPeer must satisfy together. Each for the API server (CEL) and for our own validator.
import { type Rule, ruleFor } from '../../field.ts';
import { peerAddressOf } from './peer-address.ts';

interface PeerFields {
  asNumber?: number;
  keepOriginalNextHop?: boolean;
  localWorkloadSelector?: string;
  nextHopMode?: string;
  node?: string;
  nodeSelector?: string;
  peerIP?: string;
  peerSelector?: string;
  reachableBy?: string;
  reversePeering?: string;
}

const set = (field: keyof PeerFields) => `has(self.${field}) && self.${field} != ''`;

/** Not both of two texts; an empty one counts as absent. */
function notBoth(a: keyof PeerFields, b: keyof PeerFields): Rule {
  return ruleFor<PeerFields>(
    `!(${set(a)} && ${set(b)})`,
    `cannot have both ${a} and ${b}`,
    (peer) => !(peer[a] && peer[b]),
  );
}

export const peerRules: Rule[] = [
  notBoth('node', 'nodeSelector'),
  notBoth('peerIP', 'peerSelector'),
  notBoth('peerIP', 'localWorkloadSelector'),
  notBoth('peerSelector', 'localWorkloadSelector'),
  ruleFor<PeerFields>(
    `!(${set('peerSelector')}) || !has(self.asNumber)`,
    'cannot have an asNumber with peerSelector: the selected nodes have their own',
    ({ peerSelector, asNumber }) => !peerSelector || asNumber === undefined,
  ),
  ruleFor<PeerFields>(
    `!(${set('localWorkloadSelector')}) || has(self.asNumber)`,
    'needs an asNumber with localWorkloadSelector',
    ({ localWorkloadSelector, asNumber }) => !localWorkloadSelector || asNumber !== undefined,
  ),
  ruleFor<PeerFields>(
    '!has(self.keepOriginalNextHop) || !self.keepOriginalNextHop || !has(self.nextHopMode)',
    'cannot have both keepOriginalNextHop and nextHopMode; use nextHopMode',
    ({ keepOriginalNextHop, nextHopMode }) => !keepOriginalNextHop || nextHopMode === undefined,
  ),
  ruleFor<PeerFields>(
    `!(${set('reachableBy')}) || ${set('peerIP')}`,
    'needs a peerIP with reachableBy',
    ({ reachableBy, peerIP }) => !reachableBy || Boolean(peerIP),
  ),
];

/** Not for CEL: it cannot take a port off an address. */
export function gatewayFault(value: unknown): string | undefined {
  const { reachableBy, peerIP } = value as PeerFields;
  const [gateway, peer] = [peerAddressOf(reachableBy ?? ''), peerAddressOf(peerIP ?? '')];
  return gateway && peer && gateway.family !== peer.family
    ? 'must have reachableBy and peerIP of the same IP version'
    : undefined;
}
