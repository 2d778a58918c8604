// BGPPeer: who speaks BGP with whom. What its fields must satisfy together stands in bgp/peer-rules.ts.
import type { Static } from 'typebox';
import { tryParseAddress } from '../../net/index.ts';
import { arrayOf, boolean, integer, object, oneOf, optional, string, word } from '../field.ts';
import type { Resource } from '../resource.ts';
import { asNumber } from './bgp/as-number-field.ts';
import { peerAddressOf } from './bgp/peer-address.ts';
import { gatewayFault, peerRules } from './bgp/peer-rules.ts';
import { calicoKind } from './calico-kind.ts';
import { duration } from './duration-field.ts';
import { password } from './secret-key-ref.ts';
import { selector } from './selector-field.ts';

function peerIPFault(text: unknown): string | undefined {
  return text === '' || peerAddressOf(String(text))
    ? undefined
    : 'must be an address, with a port or without: "10.0.0.1", "10.0.0.1:1790", "[fd00::1]:1790"';
}

function gatewayAddressFault(text: unknown): string | undefined {
  return text === '' || tryParseAddress(String(text)) ? undefined : 'must be an address, such as "10.0.0.1"';
}

function within(minimum: number, maximum: number) {
  return (value: unknown) =>
    Number(value) >= minimum && Number(value) <= maximum
      ? undefined
      : `must be from ${minimum} to ${maximum}`;
}

const spec = object(
  {
    node: optional(string({ maxLength: 253, description: 'The one node that peers; all when absent.' })),
    nodeSelector: optional(selector({ description: 'The nodes that peer; all when absent.' })),
    peerIP: optional(
      string({
        maxLength: 64,
        check: peerIPFault,
        description: 'Address of the peer, with a port when it is not 179.',
      }),
    ),
    peerSelector: optional(selector({ description: 'The nodes that are the peers.' })),
    localWorkloadSelector: optional(
      selector({ description: 'The pods of the same node that are the peers.' }),
    ),
    asNumber: optional(asNumber({ description: "The peer's autonomous system." })),
    localASNumber: optional(asNumber({ description: 'Our autonomous system towards this peer alone.' })),
    numAllowedLocalASNumbers: optional(
      integer({
        format: 'int32',
        check: within(0, 255),
        description: 'How often our own system may stand in a path that the peer sends.',
      }),
    ),
    password: optional(password('Password of the session.')),
    filters: optional(
      arrayOf(string(), {
        'x-kubernetes-list-type': 'atomic',
        description: 'BGPFilters for routes from and to the peer, in order.',
      }),
    ),
    nextHopMode: optional(
      oneOf(['Auto', 'Self', 'Keep'], {
        description: 'Which next hop advertised routes name: as BGP has it, ourselves, or the original.',
      }),
    ),
    keepOriginalNextHop: optional(boolean({ description: 'Older word for nextHopMode Keep.' })),
    sourceAddress: optional(
      oneOf(['UseNodeIP', 'None'], {
        description: "Whether sessions leave from the node's address; UseNodeIP when absent.",
      }),
    ),
    reachableBy: optional(
      string({
        maxLength: 64,
        check: gatewayAddressFault,
        description: 'Gateway through which the peer is reached, when it is not on a network of the node.',
      }),
    ),
    reversePeering: optional(
      word(['Auto', 'Manual'], {
        description: 'Whether selected peers answer by themselves, or need a BGPPeer of their own.',
      }),
    ),
    ttlSecurity: optional(
      integer({
        check: within(0, 255),
        description: 'How many hops away the peer is: packets from further away are dropped.',
      }),
    ),
    keepaliveTime: optional(duration({ description: 'How often an idle session is kept alive.' })),
    maxRestartTime: optional(duration({ description: 'How long routes outlive a restart of the peer.' })),
  },
  { 'x-kubernetes-validations': peerRules, check: gatewayFault },
);

export interface BGPPeer extends Resource {
  spec: Static<typeof spec>;
}

export const bgpPeers = calicoKind<BGPPeer>({
  kind: 'BGPPeer',
  plural: 'bgppeers',
  description: 'Who speaks BGP with whom: nodes with routers, with each other, or with their own pods.',
  aliases: ['bgpp', 'bgpps'],
  columns: [
    { name: 'Node Selector', jsonPath: '.spec.nodeSelector' },
    { name: 'Node', jsonPath: '.spec.node' },
    { name: 'Local ASN', type: 'integer', jsonPath: '.spec.localASNumber' },
    { name: 'Peer Selector', jsonPath: '.spec.peerSelector' },
    { name: 'Peer IP', jsonPath: '.spec.peerIP' },
    { name: 'Peer ASN', type: 'integer', jsonPath: '.spec.asNumber' },
  ],
  example: {
    metadata: { name: 'rack-1' },
    spec: { nodeSelector: 'rack == "1"', peerIP: '10.0.1.254', asNumber: 64601, filters: ['no-defaults'] },
  },
  spec,
});
