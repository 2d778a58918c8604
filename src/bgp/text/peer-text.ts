// One BGP session in BIRD's words.
import type { Peer } from '../model/bgp-model.ts';
import { type Direction, filterCall } from './filter-functions.ts';

/** What all sessions share. Timers are upstream's. */
export const sessionTemplate = [
  'template bgp calico_session {',
  '  graceful restart on;',
  '  connect delay time 2;',
  '  connect retry time 5;',
  '  error wait time 5, 30;',
  '}',
];

export function peerText(peer: Peer): string[] {
  const { family, reflection, ttlHops, keepaliveSeconds } = peer;
  const source = peer.sourceAddress === undefined ? '' : `${peer.sourceAddress} `;
  const hops = ttlHops === undefined ? 'multihop;' : `multihop ${Math.max(ttlHops, 1)}; ttl security on;`;
  return [
    `protocol bgp ${peer.name} from calico_session {`,
    `  local ${source}port ${peer.listenPort} as ${peer.localAsNumber};`,
    `  neighbor ${peer.address} port ${peer.port} as ${peer.asNumber};`,
    `  ${hops}`,
    ...(peer.isBound && peer.sourceAddress !== undefined ? ['  strict bind on;'] : []),
    ...(peer.isPassive ? ['  passive on;'] : []),
    ...(peer.password === undefined ? [] : [`  password "${peer.password}";`]),
    `  graceful restart time ${Math.min(peer.restartSeconds, 4095)};`,
    ...(keepaliveSeconds === undefined ? [] : holdText(keepaliveSeconds)),
    ...(peer.allowedLocalAs === undefined ? [] : [`  allow local as ${peer.allowedLocalAs};`]),
    ...(reflection ? ['  rr client;'] : []),
    ...(reflection?.clusterId ? [`  rr cluster id ${reflection.clusterId};`] : []),
    `  ipv${family} {`,
    `    import ${filterText(peer, 'import')};`,
    `    export ${filterText(peer, 'export')};`,
    ...(peer.nextHop === 'Auto' ? [] : [`    next hop ${peer.nextHop === 'Self' ? 'self' : 'keep'};`]),
    '    gateway recursive;',
    '    add paths on;',
    '  };',
    '}',
  ];
}

/** A session is given up after three keepalives that did not come, as RFC 4271 proposes. */
function holdText(keepaliveSeconds: number): string[] {
  const keepalive = Math.min(keepaliveSeconds, 21_845);
  return keepalive === 0
    ? ['  hold time 0;']
    : [`  hold time ${Math.max(3 * keepalive, 3)};`, `  keepalive time ${keepalive};`];
}

function filterText({ filters, family, asNumber, localAsNumber }: Peer, direction: Direction): string {
  if (filters === 'closed') return 'none';
  const isInternal = asNumber === localAsNumber;
  const calls = filters.map((name) => filterCall(name, direction, family, isInternal));
  if (direction === 'import') return calls.length === 0 ? 'all' : `filter { ${calls.join(' ')} accept; }`;
  return `filter { ${[`calico_communities${family}();`, ...calls, `calico_export${family}(${isInternal});`].join(' ')} }`;
}
