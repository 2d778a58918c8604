// The rules that Felix leaves on a node, of one family: chains of its own among iptables' and the IP sets that they use, or a table of
// nf_tables of its own. Written from what its rules are for and what they are called, with as much of each as packets of these pods meet.
import type { Family } from '../../src/net/index.ts';
import {
  cartService,
  everyPod,
  hostInterface,
  otherNode,
  pools,
  refusedSources,
  tunnelDevices,
  type UpstreamNode,
  type UpstreamPod,
  type UpstreamShape,
  upstreamPods,
} from './upstream-shape.ts';

const vxlanPort = 4789;
/** Felix' marks: this packet is accepted; it goes on past this tier; it comes from a pod. */
const [accepted, passed, fromPod] = ['0x10000', '0x20000', '0x40000'];

/** kube-proxy's, beside Felix' whichever these are written with: one Service whose ports are the cart's own. */
export function serviceRules(family: Family): string {
  const length = family === 4 ? 32 : 128;
  return [
    '*nat',
    ':PREROUTING ACCEPT',
    ':KUBE-SERVICES - [0:0]',
    ':KUBE-SVC-CART - [0:0]',
    ':KUBE-SEP-CART - [0:0]',
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    `-A KUBE-SERVICES -d ${cartService[family]}/${length} -p tcp -j KUBE-SVC-CART`,
    '-A KUBE-SVC-CART -m comment --comment "shop/cart" -j KUBE-SEP-CART',
    `-A KUBE-SEP-CART -p tcp -j DNAT --to-destination ${upstreamPods.cart.ip[family]}`,
    'COMMIT',
    '*filter',
    ':FORWARD ACCEPT',
    ':KUBE-FORWARD - [0:0]',
    '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
    '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
    'COMMIT',
    '',
  ].join('\n');
}

const setPrefix = (family: Family) => (family === 4 ? 'cali40' : 'cali60');
const refusedSet = (of: UpstreamPod) => `s-refused-${of.name}`;

/** Members by the sets' names behind the prefix: pools, nodes, and who is refused where. */
function setsOf(node: UpstreamNode, family: Family): Readonly<Record<string, readonly string[]>> {
  const refusals = everyPod.flatMap((of) => {
    const sources = refusedSources(of);
    return sources === 'everybody' || of.node !== node.name
      ? []
      : [[refusedSet(of), sources.map(({ ip }) => ip[family])] as const];
  });
  return {
    'all-ipam-pools': [pools[family]],
    'masq-ipam-pools': [pools[family]],
    'all-vxlan-net': [otherNode(node).address[family]],
    ...Object.fromEntries(refusals),
  };
}

/** For `ipset restore`; among them one that Felix was about to swap for another when it ended. */
export function ipSetsText(node: UpstreamNode, family: Family): string {
  const sets = Object.entries(setsOf(node, family));
  const type = `hash:net family ${family === 4 ? 'inet' : 'inet6'} maxelem 1048576`;
  return [
    ...sets.map(([name]) => `create ${setPrefix(family)}${name} ${type}`),
    `create cali${family}t0 ${type}`,
    ...sets.flatMap(([name, members]) =>
      members.map((member) => `add ${setPrefix(family)}${name} ${member}`),
    ),
    '',
  ].join('\n');
}

/** For iptables-restore --noflush, in the file format that both of its kinds read. */
export function iptablesText(node: UpstreamNode, family: Family, { routing }: UpstreamShape): string {
  const set = (name: string) => `${setPrefix(family)}${name}`;
  const clear = (bits: string) => `MARK --set-xmark 0x0/${bits}`;
  const raise = (bit: string) => `MARK --set-xmark ${bit}/${bit}`;
  const is = (bit: string) => `-m mark --mark ${bit}/${bit}`;
  const isNot = (bit: string) => `-m mark --mark 0x0/${bit}`;
  const state = (states: string) => `-m conntrack --ctstate ${states}`;
  const pods = everyPod.filter((one) => one.node === node.name);
  const isVxlan = routing === 'vxlan';
  const tunnelled = `-p udp -m udp --dport ${vxlanPort}`;
  const neighbours = [130, 131, 132, 133, 135, 136].map(
    (type) => `cali-wl-to-host -p ipv6-icmp -m icmp6 --icmpv6-type ${type} -j ACCEPT`,
  );
  return [
    table(
      'raw',
      ['PREROUTING cali-PREROUTING', 'OUTPUT cali-OUTPUT'],
      [
        ...(isVxlan
          ? [`cali-PREROUTING ${tunnelled} -j CT --notrack`, `cali-OUTPUT ${tunnelled} -j CT --notrack`]
          : []),
        `cali-PREROUTING -j ${clear('0xf0000')}`,
        `cali-PREROUTING -i cali+ -j ${raise(fromPod)}`,
        `cali-PREROUTING ${is(fromPod)} -j cali-rpf-skip`,
        `cali-PREROUTING ${is(fromPod)} -m rpfilter --validmark --invert -j DROP`,
        `cali-PREROUTING ${isNot(fromPod)} -j cali-from-host-endpoint`,
        `cali-PREROUTING ${is(accepted)} -j ACCEPT`,
        `cali-OUTPUT -j ${clear('0xf0000')}`,
        'cali-OUTPUT -j cali-to-host-endpoint',
      ],
    ),
    table(
      'mangle',
      ['PREROUTING cali-PREROUTING', 'POSTROUTING cali-POSTROUTING'],
      [
        `cali-PREROUTING ${state('RELATED,ESTABLISHED')} -j ACCEPT`,
        `cali-PREROUTING ${is(accepted)} -j ACCEPT`,
        'cali-PREROUTING -j cali-from-host-endpoint',
        `cali-POSTROUTING ${is(accepted)} -j RETURN`,
        `cali-POSTROUTING -j ${clear('0xf0000')}`,
        `cali-POSTROUTING ${state('DNAT')} -j cali-to-host-endpoint`,
      ],
    ),
    table(
      'nat',
      ['PREROUTING cali-PREROUTING', 'OUTPUT cali-OUTPUT', 'POSTROUTING cali-POSTROUTING'],
      [
        'cali-PREROUTING -j cali-fip-dnat',
        'cali-OUTPUT -j cali-fip-dnat',
        'cali-POSTROUTING -j cali-fip-snat',
        'cali-POSTROUTING -j cali-nat-outgoing',
        ...(isVxlan
          ? [
              `cali-POSTROUTING -o ${tunnelDevices[family]} -m addrtype ! --src-type LOCAL --limit-iface-out -m addrtype --src-type LOCAL -j MASQUERADE --random-fully`,
            ]
          : []),
        `cali-nat-outgoing -m set --match-set ${set('masq-ipam-pools')} src -m set ! --match-set ${set('all-ipam-pools')} dst -j MASQUERADE --random-fully`,
      ],
    ),
    table(
      'filter',
      [
        'INPUT cali-INPUT',
        'FORWARD cali-FORWARD',
        'OUTPUT cali-OUTPUT',
        `-A FORWARD ${is(accepted)} -j ACCEPT`,
        `-A FORWARD -j ${raise(accepted)}`,
      ],
      [
        `cali-FORWARD -j ${clear('0xe0000')}`,
        `cali-FORWARD ${isNot(accepted)} -j cali-from-hep-forward`,
        'cali-FORWARD -i cali+ -j cali-from-wl-dispatch',
        'cali-FORWARD -o cali+ -j cali-to-wl-dispatch',
        'cali-FORWARD -j cali-to-hep-forward',
        ...(isVxlan
          ? [
              `cali-INPUT ${tunnelled} -m set --match-set ${set('all-vxlan-net')} src -m addrtype --dst-type LOCAL -j ACCEPT`,
              `cali-INPUT ${tunnelled} -m addrtype --dst-type LOCAL -j DROP`,
              `cali-OUTPUT ${tunnelled} -m addrtype --src-type LOCAL -m set --match-set ${set('all-vxlan-net')} dst -j ACCEPT`,
            ]
          : []),
        'cali-INPUT -i cali+ -g cali-wl-to-host',
        `cali-INPUT ${is(accepted)} -j ACCEPT`,
        `cali-INPUT -j ${clear('0xf0000')}`,
        'cali-INPUT -j cali-from-host-endpoint',
        'cali-OUTPUT -o cali+ -j RETURN',
        `cali-OUTPUT -j ${clear('0xf0000')}`,
        ...(family === 6 ? neighbours : []),
        'cali-wl-to-host -j cali-from-wl-dispatch',
        'cali-wl-to-host -j ACCEPT',
        ...pods.flatMap((of) => {
          const link = hostInterface(of);
          const source = refusedSources(of);
          const judged = (chain: string, policy: readonly string[], isClosed: boolean) => [
            `${chain} ${state('RELATED,ESTABLISHED')} -j ACCEPT`,
            `${chain} ${state('INVALID')} -j DROP`,
            `${chain} -j ${clear('0x30000')}`,
            ...policy,
            `${chain} ${is(accepted)} -j RETURN`,
            ...(isClosed ? [`${chain} ${isNot(passed)} -j DROP`] : []),
            `${chain} -j cali-pr-kns.${of.namespace}`,
            `${chain} ${is(accepted)} -j RETURN`,
            `${chain} -j DROP`,
          ];
          const ingress =
            source !== 'everybody' && source.length > 0 ? [`cali-tw-${link} -j cali-pi-${of.name}`] : [];
          return [
            `cali-from-wl-dispatch -i ${link} -g cali-fw-${link}`,
            `cali-to-wl-dispatch -o ${link} -g cali-tw-${link}`,
            ...judged(`cali-fw-${link}`, [], of.namespace === 'test'),
            ...judged(`cali-tw-${link}`, ingress, source === 'everybody'),
            ...(ingress.length > 0
              ? [
                  `cali-pi-${of.name} -m set --match-set ${set(refusedSet(of))} src -j DROP`,
                  `cali-pi-${of.name} -j ${raise(accepted)}`,
                ]
              : []),
          ];
        }),
        'cali-from-wl-dispatch -j DROP',
        'cali-to-wl-dispatch -j DROP',
        ...[...new Set(pods.map(({ namespace }) => namespace))].map(
          (namespace) => `cali-pr-kns.${namespace} -j ${raise(accepted)}`,
        ),
      ],
    ),
  ].join('');
}

/** Rules of the table's own chains lead to Felix', which stand before what is there already; every rule bears the comment of Felix'. */
function table(name: string, entries: readonly string[], rules: readonly string[]): string {
  let count = 0;
  const comment = () =>
    `-m comment --comment "cali:${name}${String(++count).padStart(16 - name.length, '0')}"`;
  const chains = rules.flatMap((rule) =>
    [...rule.matchAll(/(?:^|-[jg] )(cali-\S+)/g)].map(([, chain]) => chain),
  );
  const commented = (rule: string) => rule.replace(/^(\S+)/, (chain) => `${chain} ${comment()}`);
  return [
    `*${name}`,
    ...[...new Set(chains)].map((chain) => `:${chain} - [0:0]`),
    ...entries.map((entry) => {
      const own = /^(\S+) (cali-\S+)$/.exec(entry);
      return own
        ? `-I ${own[1]} 1 ${comment()} -j ${own[2]}`
        : entry.replace(/^(-A \S+)/, (rule) => `${rule} ${comment()}`);
    }),
    ...rules.map((rule) => `-A ${commented(rule)}`),
    'COMMIT',
    '',
  ].join('\n');
}

/** For nft: the table that is Felix' alone. Chains bear the name of the table that they would be in among iptables'. */
export function nftablesText(node: UpstreamNode, family: Family, { routing }: UpstreamShape): string {
  const protocol = family === 4 ? 'ip' : 'ip6';
  const set = (name: string) => `${setPrefix(family)}${name}`;
  const clear = (bits: number) => `meta mark set meta mark and 0x${(~bits >>> 0).toString(16)}`;
  const raise = (bit: string) => `meta mark set meta mark or ${bit}`;
  const is = (bit: string) => `meta mark and ${bit} == ${bit}`;
  const isNot = (bit: string) => `meta mark and ${bit} == 0`;
  const pods = everyPod.filter((one) => one.node === node.name);
  const isVxlan = routing === 'vxlan';
  const chain = (name: string, rules: readonly string[]) => `chain ${name} {\n${rules.join('\n')}\n}`;
  const base = (name: string, type: string, hook: string, priority: number, rules: readonly string[]) =>
    chain(name, [
      `type ${type} hook ${hook} priority ${priority}; policy accept;`,
      ...rules.map((rule) => `counter ${rule}`),
    ]);
  const dispatch = (name: string, to: string) =>
    `map ${name} { type ifname : verdict; elements = { ${pods.map((of) => `"${hostInterface(of)}" : goto filter-${to}-${hostInterface(of)}`).join(', ')} }; }`;
  const judged = (of: UpstreamPod, name: string, policy: readonly string[], isClosed: boolean) =>
    chain(name, [
      'ct state established,related accept',
      'ct state invalid drop',
      clear(0x30000),
      ...policy,
      `${is(accepted)} return`,
      ...(isClosed ? [`${isNot(passed)} drop`] : []),
      `jump filter-cali-pr-kns.${of.namespace}`,
      `${is(accepted)} return`,
      'drop',
    ]);
  return [
    `table ${protocol} calico {`,
    ...Object.entries(setsOf(node, family)).map(
      ([name, members]) =>
        `set ${set(name)} { type ipv${family}_addr; flags interval;${members.length > 0 ? ` elements = { ${members.join(', ')} };` : ''} }`,
    ),
    ...[...new Set(pods.map(({ namespace }) => namespace))].map((namespace) =>
      chain(`filter-cali-pr-kns.${namespace}`, [raise(accepted)]),
    ),
    ...pods.flatMap((of) => {
      const source = refusedSources(of);
      const isGuarded = source !== 'everybody' && source.length > 0;
      const policy = isGuarded ? [`jump filter-cali-pi-${of.name}`] : [];
      return [
        ...(isGuarded
          ? [
              chain(`filter-cali-pi-${of.name}`, [
                `${protocol} saddr @${set(refusedSet(of))} drop`,
                raise(accepted),
              ]),
            ]
          : []),
        judged(of, `filter-cali-fw-${hostInterface(of)}`, [], of.namespace === 'test'),
        judged(of, `filter-cali-tw-${hostInterface(of)}`, policy, source === 'everybody'),
      ];
    }),
    dispatch('filter-cali-from-wl-dispatch', 'cali-fw'),
    dispatch('filter-cali-to-wl-dispatch', 'cali-tw'),
    chain('filter-cali-from-wl-dispatch', ['iifname vmap @filter-cali-from-wl-dispatch', 'drop']),
    chain('filter-cali-to-wl-dispatch', ['oifname vmap @filter-cali-to-wl-dispatch', 'drop']),
    chain('filter-cali-FORWARD', [
      clear(0xe0000),
      'iifname "cali*" jump filter-cali-from-wl-dispatch',
      'oifname "cali*" jump filter-cali-to-wl-dispatch',
    ]),
    chain('filter-cali-wl-to-host', [
      ...(family === 6 ? ['icmpv6 type { 130, 131, 132, 133, 135, 136 } accept'] : []),
      'jump filter-cali-from-wl-dispatch',
      'accept',
    ]),
    chain('filter-cali-INPUT', [
      ...(isVxlan
        ? [
            `udp dport ${vxlanPort} ${protocol} saddr @${set('all-vxlan-net')} fib daddr type local accept`,
            `udp dport ${vxlanPort} fib daddr type local drop`,
          ]
        : []),
      'iifname "cali*" goto filter-cali-wl-to-host',
      clear(0xf0000),
    ]),
    chain('raw-cali-PREROUTING', [
      ...(isVxlan ? [`udp dport ${vxlanPort} notrack`] : []),
      clear(0xf0000),
      `iifname "cali*" ${raise(fromPod)}`,
      `${is(fromPod)} fib saddr . mark . iif oif 0 drop`,
    ]),
    chain('nat-cali-POSTROUTING', [
      `${protocol} saddr @${set('masq-ipam-pools')} ${protocol} daddr != @${set('all-ipam-pools')} masquerade fully-random`,
    ]),
    chain('mangle-cali-POSTROUTING', [`${is(accepted)} return`, clear(0xf0000)]),
    base('raw-PREROUTING', 'filter', 'prerouting', -300, ['jump raw-cali-PREROUTING']),
    base('mangle-PREROUTING', 'filter', 'prerouting', -150, ['ct state established,related accept']),
    base('mangle-POSTROUTING', 'filter', 'postrouting', -150, ['jump mangle-cali-POSTROUTING']),
    base('nat-POSTROUTING', 'nat', 'postrouting', 100, ['jump nat-cali-POSTROUTING']),
    base('filter-INPUT', 'filter', 'input', 0, ['jump filter-cali-INPUT']),
    base('filter-FORWARD', 'filter', 'forward', 0, [
      'jump filter-cali-FORWARD',
      `${is(accepted)} accept`,
      raise(accepted),
    ]),
    '}',
    '',
  ].join('\n');
}
