// Rules for services as kube-proxy would write them, in both of its forms, for services with one endpoint on this node: translation of the
// destination, a mark on what has to be masqueraded, node ports, and what a node port does that keeps its callers' addresses.

export interface ProxyRules {
  readonly family: 4 | 6;
  readonly nodeIp: string;
  /** Who asks from outside of it is masqueraded. */
  readonly clusterCidr: string;
  readonly services: readonly ProxiedService[];
}

export interface ProxiedService {
  /** A part of its chains' names. */
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  readonly clusterIp: string;
  readonly port: number;
  readonly nodePort: number;
  readonly externalTrafficPolicy: 'Cluster' | 'Local';
  readonly endpoint: { readonly address: string; readonly port: number };
}

/** Input of `iptables-restore` or `ip6tables-restore`. */
export function iptablesRules({ family, nodeIp, clusterCidr, services }: ProxyRules): string {
  const whole = family === 4 ? 32 : 128;
  const chains = services.flatMap(({ name, externalTrafficPolicy }) => [
    ...['EXT', 'SVC', 'SEP'].map((kind) => `KUBE-${kind}-${name}`),
    ...(externalTrafficPolicy === 'Local' ? [`KUBE-SVL-${name}`] : []),
  ]);
  const portal = ({ name, protocol, clusterIp, port }: ProxiedService) =>
    `-A KUBE-SERVICES -d ${clusterIp}/${whole} -p ${protocol} -m ${protocol} --dport ${port} -j KUBE-SVC-${name}`;
  const nodePort = ({ name, protocol, nodePort }: ProxiedService) =>
    `-A KUBE-NODEPORTS -d ${nodeIp}/${whole} -p ${protocol} -m ${protocol} --dport ${nodePort} -j KUBE-EXT-${name}`;
  const external = ({ name, externalTrafficPolicy }: ProxiedService) =>
    externalTrafficPolicy === 'Cluster'
      ? `-A KUBE-EXT-${name} -j KUBE-MARK-MASQ
-A KUBE-EXT-${name} -j KUBE-SVC-${name}`
      : `-A KUBE-EXT-${name} -s ${clusterCidr} -j KUBE-SVC-${name}
-A KUBE-EXT-${name} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
-A KUBE-EXT-${name} -m addrtype --src-type LOCAL -j KUBE-SVC-${name}
-A KUBE-EXT-${name} -j KUBE-SVL-${name}
-A KUBE-SVL-${name} -j KUBE-SEP-${name}`;
  const service = ({ name, protocol, clusterIp, port, endpoint }: ProxiedService) =>
    `-A KUBE-SVC-${name} ! -s ${clusterCidr} -d ${clusterIp}/${whole} -p ${protocol} -m ${protocol} --dport ${port} -j KUBE-MARK-MASQ
-A KUBE-SVC-${name} -j KUBE-SEP-${name}
-A KUBE-SEP-${name} -s ${endpoint.address}/${whole} -j KUBE-MARK-MASQ
-A KUBE-SEP-${name} -p ${protocol} -m ${protocol} -j DNAT --to-destination ${targetOf(family, endpoint)}`;
  return `*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
${chains.map((chain) => `:${chain} - [0:0]`).join('\n')}
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
${services.map(portal).join('\n')}
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
${services.map(nodePort).join('\n')}
${services.map(external).join('\n')}
${services.map(service).join('\n')}
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -j MASQUERADE
COMMIT
*filter
:KUBE-FORWARD - [0:0]
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`;
}

/** Input of `nft -f`. */
export function nftablesRules({ family, nodeIp, clusterCidr, services }: ProxyRules): string {
  const [table, type] = family === 4 ? ['ip', 'ipv4_addr'] : ['ip6', 'ipv6_addr'];
  const portal = ({ name, protocol, clusterIp, port }: ProxiedService) =>
    `${clusterIp} . ${protocol} . ${port} : goto service-${name}`;
  const nodePort = ({ name, protocol, nodePort }: ProxiedService) =>
    `${protocol} . ${nodePort} : goto external-${name}`;
  const chainsOf = ({ name, protocol, clusterIp, externalTrafficPolicy, endpoint }: ProxiedService) => `
  chain service-${name} {
    ${table} saddr != ${clusterCidr} ${table} daddr ${clusterIp} jump mark-for-masquerade
    numgen random mod 1 vmap { 0 : goto endpoint-${name} }
  }
  chain external-${name} {
    ${
      externalTrafficPolicy === 'Cluster'
        ? `jump mark-for-masquerade
    goto service-${name}`
        : `${table} saddr ${clusterCidr} goto service-${name}
    fib saddr type local jump mark-for-masquerade
    fib saddr type local goto service-${name}
    numgen random mod 1 vmap { 0 : goto endpoint-${name} }`
    }
  }
  chain endpoint-${name} {
    ${table} saddr ${endpoint.address} jump mark-for-masquerade
    meta l4proto ${protocol} dnat to ${targetOf(family, endpoint)}
  }`;
  return `table ${table} kube-proxy {
  map service-ips {
    type ${type} . inet_proto . inet_service : verdict
    elements = { ${services.map(portal).join(', ')} }
  }
  set nodeport-ips { type ${type}; elements = { ${nodeIp} } }
  map service-nodeports {
    type inet_proto . inet_service : verdict
    elements = { ${services.map(nodePort).join(', ')} }
  }
  chain mark-for-masquerade {
    mark set mark or 0x4000
  }
  chain masquerading {
    mark and 0x4000 == 0 return
    mark set mark xor 0x4000
    masquerade fully-random
  }
  chain services {
    ${table} daddr . meta l4proto . th dport vmap @service-ips
    ${table} daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
  }${services.map(chainsOf).join('')}
  chain nat-prerouting { type nat hook prerouting priority dstnat;
    jump services
  }
  chain nat-output { type nat hook output priority -100;
    jump services
  }
  chain nat-postrouting { type nat hook postrouting priority srcnat;
    jump masquerading
  }
}
`;
}

function targetOf(family: 4 | 6, { address, port }: ProxiedService['endpoint']): string {
  return family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}
