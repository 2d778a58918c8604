// Whether this machine can do what calico-node asks of it, and nobody else's files or rules are in the way.
import type { Family } from '../../../net/index.ts';
import type { Check } from '../finding.ts';
import type { NodeFacts, NodeLink } from '../node-facts.ts';
import { cniInstalled, runtimeLooksThere } from './cni.ts';

/** What VXLAN adds to a packet. */
const vxlanOverheads: Readonly<Record<Family, number>> = { 4: 50, 6: 70 };

const agentAnswers: Check<NodeFacts> = {
  name: 'agent-unwell',
  asks: 'calico-node on this node says that it is ready',
  look: ({ node, healthUrl, readiness }) => {
    if (readiness === 'ok') return [];
    return [
      {
        severity: 'error',
        what:
          readiness === undefined ? 'calico-node does not answer' : 'calico-node says that it is not ready',
        where: `node "${node}"`,
        why:
          readiness?.replaceAll('\n', '; ') ??
          `Nobody answers at ${healthUrl}: it does not run, healthEnabled is false, or FELIX_HEALTHPORT is another there than here`,
        remedy: `Look at its log: kubectl logs -n NAMESPACE POD, as kubectl get pods -A -l k8s-app=calico-node --field-selector spec.nodeName=${node} names them`,
      },
    ];
  },
};

const mtuFits: Check<NodeFacts> = {
  name: 'mtu-mismatch',
  asks: "packets of pods fit into the tunnel or, without one, the underlay; and the tunnel's into the underlay",
  look: ({ node, links, underlay, podMtu }) => {
    const tunnels = links.filter(({ tunnel }) => tunnel !== undefined);
    const tooWide = tunnels.flatMap((tunnel) => {
      const parent = links.find(({ index }) => index === tunnel.vxlan?.parent);
      const overhead = tunnel.tunnel ? vxlanOverheads[tunnel.tunnel] : 0;
      const room = (parent?.mtu ?? Number.POSITIVE_INFINITY) - overhead;
      return parent && tunnel.mtu > room
        ? [`"${tunnel.name}" has ${tunnel.mtu}, and "${parent.name}" has room for ${room}`]
        : [];
    });
    const pods = links.filter(({ name }) => name.startsWith('cali'));
    const narrowest = Math.min(...tunnels.map(({ mtu }) => mtu));
    const wide = pods.filter(({ mtu }) => mtu > narrowest);
    const bare = tunnels.length === 0 && underlay ? pods.filter(({ mtu }) => mtu > underlay.mtu) : [];
    const why = 'Large packets are dropped on the way while small ones pass: connections open and then hang';
    const again = `Make these pods again: a pod keeps the MTU that it was made with${podMtu === undefined ? '' : ` (new ones get ${podMtu})`}`;
    return [
      ...tooWide.map((what) => ({
        severity: 'error' as const,
        what: `The tunnel is wider than its underlay: ${what}`,
        where: `node "${node}"`,
        why,
        remedy: 'Set vxlanMTU in the FelixConfiguration to what fits, or to 0 to have it derived',
      })),
      ...(wide.length > 0
        ? [
            {
              severity: 'error' as const,
              what: `${wide.length} pods have a larger MTU (${widest(wide)}) than the tunnel (${narrowest}): ${some(wide)}`,
              where: `node "${node}"`,
              why,
              remedy: again,
            },
          ]
        : []),
      ...(bare.length > 0 && underlay
        ? [
            {
              // The node still asks pods for smaller packets, and most do as they are asked.
              severity: 'warning' as const,
              what: `${bare.length} pods have a larger MTU (${widest(bare)}) than "${underlay.name}" (${underlay.mtu}), by which they reach other nodes: ${some(bare)}`,
              where: `node "${node}"`,
              why: 'The node turns back or cuts up their large packets; where the word of that is lost, connections open and then hang',
              remedy:
                podMtu !== undefined && podMtu > underlay.mtu
                  ? `Let new pods have at most ${underlay.mtu}: veth_mtu in the ConfigMap calico-config (mtu of the chart), 0 to have it derived; then make these pods again`
                  : again,
            },
          ]
        : []),
    ];
  },
};

const kernelFits: Check<NodeFacts> = {
  name: 'kernel-features',
  asks: 'the kernel has what calico-node needs',
  look: ({ node, kernel }) =>
    kernel
      .filter(({ isMet }) => !isMet)
      .map(({ what, remedy }) => ({
        severity: 'error',
        what: `The kernel lacks ${what}`,
        where: `node "${node}"`,
        why: 'calico-node cannot program what needs it',
        remedy: `${remedy[0]?.toUpperCase()}${remedy.slice(1)}`,
      })),
};

/** Whose rules they are, by the names that programs give their tables and chains. */
const owners: readonly (readonly [RegExp, string])[] = [
  [/^firewalld$/, 'firewalld'],
  [/^ufw/, 'ufw'],
  [/^(ip|ip6)-docker|docker/i, 'Docker'],
];

const nobodyDrops: Check<NodeFacts> = {
  name: 'foreign-firewall',
  asks: "no other firewall drops what Calico's policies allow",
  look: ({ node, otherChains, legacyDrops }) => {
    const drops = otherChains.filter(
      ({ hook, endsWith }) =>
        endsWith || (hook.policy === 'drop' && ['forward', 'input', 'output'].includes(hook.hook)),
    );
    const ofForward = {
      severity: 'error' as const,
      where: `node "${node}"`,
      why: 'An accept of one table does not overrule the drop of another: pods lose packets although policy allows them',
      remedy:
        'Let it accept packets of pods: for Docker, "iptables -P FORWARD ACCEPT" or "ip-forward-no-drop": true in its daemon.json; ' +
        'for ufw, DEFAULT_FORWARD_POLICY="ACCEPT"; for firewalld, add the links "cali+" to the zone "trusted"',
    };
    // Most hosts close what comes to themselves, and let in what they need: only people know whether this one does.
    const ofHost = {
      severity: 'warning' as const,
      where: `node "${node}"`,
      why: 'Unless its rules let them through, tunnelled packets and BGP between nodes are lost, and what pods and this node say to each other',
      remedy:
        'See that it accepts, from and to other nodes, the tunnel (UDP 4789, or vxlanPort) and BGP (TCP 179), and what comes and goes by the links "cali+"',
    };
    return [
      ...drops.map(({ table, name, hook, endsWith }) => {
        const owner = owners.find(([pattern]) => pattern.test(table.name) || pattern.test(name))?.[1];
        const does = endsWith ? `${endsWith}s with its last rule` : 'drops by default';
        const packets = hook.hook === 'forward' ? 'forwarded' : `${hook.hook} of this node`;
        return {
          ...(hook.hook === 'forward' ? ofForward : ofHost),
          what: `Chain "${name}" of table "${table.family} ${table.name}" ${does} what is ${packets}${owner ? `; it is ${owner}'s` : ''}`,
        };
      }),
      ...legacyDrops.map((chain) => ({
        ...(chain === 'FORWARD' ? ofForward : ofHost),
        what: `Chain "${chain}" of the old iptables drops by default${chain === 'FORWARD' ? '; Docker does that' : ''}`,
      })),
    ];
  },
};

/** More UDP datagrams than this share arrive spoilt where a card computes checksums wrongly. */
const spoiltShare = 0.001;

const checksumsHold: Check<NodeFacts> = {
  name: 'vxlan-checksums',
  asks: 'no network card spoils the checksums of tunnelled packets',
  look: ({ node, links, udp }) => {
    const tunnel = links.find(({ tunnel: family }) => family === 4);
    if (!tunnel) return [];
    const card = links.find(({ index }) => index === tunnel.vxlan?.parent);
    // VMware's card takes port 4789 for its own and computes inner checksums wrongly in many versions.
    const isKnown = card?.driver === 'vmxnet3' && tunnel.vxlan?.port === 4789;
    // A datagram now and then is spoilt on the way to any machine.
    const areMany = udp.checksumErrors > (udp.received + udp.checksumErrors) * spoiltShare;
    if (!isKnown && !areMany) return [];
    return [
      {
        severity: 'warning',
        what: isKnown
          ? `The card "${card?.name}" (vmxnet3) is known to spoil checksums of VXLAN on port 4789`
          : `${udp.checksumErrors} UDP datagrams arrived with wrong checksums, beside ${udp.received} with right ones`,
        where: `node "${node}"`,
        why: 'Packets between nodes are dropped by the receiver: ping works, and TCP does not',
        remedy: `Turn the offload off on every node: ethtool -K ${tunnel.name} tx-checksum-ip-generic off; or move the tunnel to another port with vxlanPort in the FelixConfiguration`,
      },
    ];
  },
};

export const nodeChecks = [
  agentAnswers,
  cniInstalled,
  runtimeLooksThere,
  mtuFits,
  kernelFits,
  nobodyDrops,
  checksumsHold,
];

function widest(links: readonly NodeLink[]): number {
  return Math.max(...links.map(({ mtu }) => mtu));
}

function some(links: readonly NodeLink[]): string {
  return links
    .slice(0, 3)
    .map(({ name }) => name)
    .join(', ');
}
