// Whether pools can give addresses, nobody loses any, and nodes are known by addresses of their own.
import { auditIpam, judgePools, reservationsFrom, usageOf } from '../../../ipam/index.ts';
import { cidrContains, cidrsOverlap, parseCidr, tryParseAddress } from '../../../net/index.ts';
import { type IPPool, type Node, nodeAnnotations } from '../../../resources/index.ts';
import { givesAddresses } from '../agent-settings.ts';
import type { ClusterFacts } from '../cluster-facts.ts';
import type { Check } from '../finding.ts';

/** A pool with less than this share left is told of before it is full. */
const littleLeft = 0.05;

const poolsExist: Check<ClusterFacts> = {
  name: 'no-pool',
  asks: 'there is a pool to give pods addresses from, unless another plugin gives them',
  look({ ipam, agentSettings }) {
    // Beside another plugin that gives the addresses, as policy-only has it, there need not be a pool.
    if (agentSettings.length > 0 && !agentSettings.some(givesAddresses)) return [];
    const isForPods = ipam.pools.some((pool) => isOpen(pool) && usesOf(pool).includes('Workload'));
    if (isForPods) return [];
    return [
      {
        severity: 'error',
        what: 'No enabled pool is for pods',
        where: 'the cluster',
        why: 'Pods wait for an address that nobody can give them',
        remedy: 'Create a pool: see the reference page of IPPool, and calicoctl create -f POOL.yaml',
      },
    ];
  },
};

const poolsHaveRoom: Check<ClusterFacts> = {
  name: 'pool-exhausted',
  asks: 'every pool has addresses left',
  look: ({ ipam, reservations }) =>
    usageOf(ipam.pools, ipam.blocks, {
      reservations: reservationsFrom(reservations),
      unreadable: ipam.unreadable?.blocks ?? [],
    }).flatMap((usage) => {
      const left = Number(usage.available) / Number(usage.total);
      const pool = ipam.pools.find(({ metadata }) => metadata.name === usage.name);
      if (left >= littleLeft || !pool || !isOpen(pool)) return [];
      const isEmpty = usage.available <= 0n;
      const forServices = usesOf(pool).every((use) => use === 'LoadBalancer');
      // Few addresses for as many services may be just what is wanted.
      const severity = isEmpty && !forServices ? ('error' as const) : ('warning' as const);
      return [
        {
          severity,
          what: isEmpty ? 'The pool has no address left' : `The pool has ${usage.available} addresses left`,
          where: `pool "${usage.name}" (${usage.cidr})`,
          why: `${usage.inUse} of ${usage.total} are in use and ${usage.reserved} reserved; ${whoWaits(pool)}`,
          remedy:
            'See whether addresses leak with "calicoctl ipam check"; if not, add another pool, for a range cannot grow',
        },
      ];
    }),
};

const poolsApart: Check<ClusterFacts> = {
  name: 'pools-overlap',
  asks: 'no two pools that give addresses overlap, and none of them may give an address of a node',
  look({ ipam, reservations }) {
    const verdicts = judgePools(ipam.pools);
    const pools = ipam.pools.map((pool) => ({
      name: pool.metadata.name,
      range: parseCidr(pool.spec.cidr),
      verdict: verdicts.get(pool.metadata.name)?.reason,
    }));
    // What is disabled or on its way out is in nobody's way, as a pool beside those that it was split into.
    const givers = pools.filter(({ verdict }) => verdict === 'OK');
    const pairs = pools
      .filter(({ verdict }) => verdict === 'CIDROverlap')
      .flatMap((pool) => {
        const holder = givers.find(({ range }) => cidrsOverlap(range, pool.range));
        return holder ? [[holder, pool] as const] : [];
      });
    const reserved = reservationsFrom(reservations);
    const nodesWithin = ipam.nodes.flatMap((node) =>
      addressesOf(node).flatMap((address) => {
        if (reserved.has(address.parsed)) return [];
        const pool = givers.find(({ range }) => cidrContains(range, address.parsed));
        return pool ? [{ node: node.metadata.name, address: address.text, pool: pool.name }] : [];
      }),
    );
    return [
      ...pairs.map(([a, b]) => ({
        severity: 'error' as const,
        what: `Pools "${a.name}" and "${b.name}" overlap`,
        where: `pool "${b.name}"`,
        why: `Only "${a.name}", which was first, gives addresses`,
        remedy: `Delete one of them, and make it again with another range: calicoctl delete ippool ${b.name}`,
      })),
      ...nodesWithin.map(({ node, address, pool }) => ({
        severity: 'error' as const,
        what: `The node's own address ${address} lies within pool "${pool}", and nothing reserves it`,
        where: `node "${node}"`,
        why: 'A pod may get an address of a node, and packets to the node may be taken for packets to a pod',
        remedy: `Move the pool to a range that no node uses, or keep the nodes' addresses with an IPReservation`,
      })),
    ];
  },
};

const nothingLeaks: Check<ClusterFacts> = {
  name: 'addresses-leak',
  asks: 'every assigned address belongs to somebody',
  look({ ipam, earlierIpam }) {
    const { orphanedBlocks, ...now } = auditIpam(ipam);
    const earlier = earlierIpam ? auditIpam(earlierIpam) : now;
    const leakedAddresses = inBoth(now.leakedAddresses, earlier.leakedAddresses);
    const sharedAddresses = inBoth(now.sharedAddresses, earlier.sharedAddresses);
    const unassignedAddresses = inBoth(now.unassignedAddresses, earlier.unassignedAddresses);
    const where = 'the address management';
    const some = (texts: readonly string[]) =>
      `${texts.slice(0, 3).join(', ')}${texts.length > 3 ? ', ...' : ''}`;
    return [
      ...(leakedAddresses.length + orphanedBlocks.length > 0
        ? [
            {
              severity: 'warning' as const,
              what: `${leakedAddresses.length} addresses and ${orphanedBlocks.length} blocks belong to nobody`,
              where,
              why: `They are missing in the pools: ${some([...leakedAddresses.map(({ address }) => address), ...orphanedBlocks.map(({ block }) => block)])}`,
              remedy:
                'calico-kube-controllers collects them after a grace of 15 minutes; at once: calicoctl ipam check -o REPORT && calicoctl ipam release --from-report REPORT',
            },
          ]
        : []),
      ...[...sharedAddresses, ...unassignedAddresses].map(({ address, users }) => ({
        severity: 'error' as const,
        what: `${address} is used by ${users.join(' and ')}${users.length > 1 ? '' : ', and assigned to nobody'}`,
        where,
        why: 'Two pods may speak under one address',
        remedy: `Delete all but one of these pods, so that they are made again with addresses of their own`,
      })),
    ];
  },
};

const nodeAddresses: Check<ClusterFacts> = {
  name: 'node-address',
  asks: "every node is known by an address that is its own and nobody else's",
  look({ ipam }) {
    const users = new Map<string, string[]>();
    for (const node of ipam.nodes) {
      for (const { text } of addressesOf(node))
        users.set(text, [...(users.get(text) ?? []), node.metadata.name]);
    }
    const shared = [...users].filter(([, names]) => names.length > 1);
    const strange = ipam.nodes.flatMap((node) => {
      const known = (node.status?.addresses ?? []).map(({ address }) => address);
      if (known.length === 0) return [];
      return addressesOf(node)
        .filter(
          ({ text, family }) =>
            !known.includes(text) && known.some((one) => one.includes(':') === (family === 6)),
        )
        .map(({ text }) => ({ node: node.metadata.name, text, known }));
    });
    const remedy =
      'Choose the right link or range with IP_AUTODETECTION_METHOD ("interface=eth.*", "cidr=10.0.0.0/8", "kubernetes-internal-ip") in the DaemonSet calico-node';
    return [
      ...shared.map(([address, names]) => ({
        severity: 'error' as const,
        what: `Nodes ${names.map((name) => `"${name}"`).join(' and ')} are known by the same address ${address}`,
        where: `node "${names[1]}"`,
        why: 'What is sent to one of them reaches the other; usually the address of a bridge that every machine has was detected',
        remedy,
      })),
      ...strange.map(({ node, text, known }) => ({
        severity: 'warning' as const,
        what: `Calico knows the node by ${text}, and Kubernetes by ${known.join(', ')}`,
        where: `node "${node}"`,
        why: 'If that address is of another network, other nodes cannot reach the pods of this one',
        remedy,
      })),
    ];
  },
};

export const addressChecks = [poolsExist, poolsHaveRoom, poolsApart, nothingLeaks, nodeAddresses];

/** Whether a pool still gives addresses to anybody. */
export function isOpen({ metadata, spec }: IPPool): boolean {
  return !spec.disabled && !metadata.deletionTimestamp;
}

/** Who does without when a pool is full. */
function whoWaits(pool: IPPool): string {
  const uses = usesOf(pool);
  if (uses.includes('Workload')) return 'pods that find none wait';
  if (uses.includes('Tunnel')) return 'nodes that find none have no tunnel';
  return 'services of type LoadBalancer that find none wait';
}

export function usesOf({ spec }: IPPool): readonly string[] {
  return spec.allowedUses?.length ? spec.allowedUses : ['Workload', 'Tunnel'];
}

/** Those of the first that the second has, too. */
function inBoth<T extends { readonly address: string }>(one: readonly T[], other: readonly T[]): T[] {
  const known = new Set(other.map(({ address }) => address));
  return one.filter(({ address }) => known.has(address));
}

function addressesOf({ metadata }: Node) {
  return [nodeAnnotations.ipv4Address, nodeAnnotations.ipv6Address].flatMap((annotation) => {
    const [text = ''] = (metadata.annotations?.[annotation] ?? '').split('/');
    const parsed = tryParseAddress(text);
    return parsed ? [{ text, parsed, family: parsed.family }] : [];
  });
}
