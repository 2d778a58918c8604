// A service's rules as kube-proxy would write them, in both of its forms, for one service with one endpoint: translation of the
// destination, a mark on what has to be masqueraded, and a node port.

export interface ServiceRules {
  readonly family: 4 | 6;
  readonly clusterIp: string;
  readonly nodeIp: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly nodePort: number;
  /** Who asks from outside of it is masqueraded. */
  readonly clusterCidr: string;
  readonly endpoint: { readonly address: string; readonly port: number };
}

/** Input of `iptables-restore` or `ip6tables-restore`. */
export function iptablesRules(service: ServiceRules): string {
  const { family, clusterIp, nodeIp, protocol, port, nodePort, clusterCidr, endpoint } = service;
  const whole = family === 4 ? 32 : 128;
  const target = family === 4 ? endpoint.address : `[${endpoint.address}]`;
  return `*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-EXT-WEB - [0:0]
:KUBE-SVC-WEB - [0:0]
:KUBE-SEP-WEB - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-SERVICES -d ${clusterIp}/${whole} -p ${protocol} -m ${protocol} --dport ${port} -j KUBE-SVC-WEB
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -d ${nodeIp}/${whole} -p ${protocol} -m ${protocol} --dport ${nodePort} -j KUBE-EXT-WEB
-A KUBE-EXT-WEB -j KUBE-MARK-MASQ
-A KUBE-EXT-WEB -j KUBE-SVC-WEB
-A KUBE-SVC-WEB ! -s ${clusterCidr} -d ${clusterIp}/${whole} -p ${protocol} -m ${protocol} --dport ${port} -j KUBE-MARK-MASQ
-A KUBE-SVC-WEB -j KUBE-SEP-WEB
-A KUBE-SEP-WEB -s ${endpoint.address}/${whole} -j KUBE-MARK-MASQ
-A KUBE-SEP-WEB -p ${protocol} -m ${protocol} -j DNAT --to-destination ${target}:${endpoint.port}
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
export function nftablesRules(service: ServiceRules): string {
  const { family, clusterIp, nodeIp, protocol, port, nodePort, clusterCidr, endpoint } = service;
  const [table, type] = family === 4 ? ['ip', 'ipv4_addr'] : ['ip6', 'ipv6_addr'];
  const target = family === 4 ? endpoint.address : `[${endpoint.address}]`;
  return `table ${table} kube-proxy {
  map service-ips {
    type ${type} . inet_proto . inet_service : verdict
    elements = { ${clusterIp} . ${protocol} . ${port} : goto service-web }
  }
  set nodeport-ips { type ${type}; elements = { ${nodeIp} } }
  map service-nodeports {
    type inet_proto . inet_service : verdict
    elements = { ${protocol} . ${nodePort} : goto external-web }
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
  }
  chain service-web {
    ${table} saddr != ${clusterCidr} ${table} daddr ${clusterIp} jump mark-for-masquerade
    numgen random mod 1 vmap { 0 : goto endpoint-web }
  }
  chain external-web {
    jump mark-for-masquerade
    goto service-web
  }
  chain endpoint-web {
    ${table} saddr ${endpoint.address} jump mark-for-masquerade
    meta l4proto ${protocol} dnat to ${target}:${endpoint.port}
  }
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
