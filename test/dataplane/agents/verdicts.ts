// All that is probed of one cluster in the kernel, and what the evaluator says of each: every place to every other with TCP,
// UDP, SCTP and ICMP, both families, and services as kube-proxy translates them: a cluster address from every pod, a node port
// from outside and from the node's own pods.
//
// What is not probed: services while a policy is asked before connection tracking, for what has no connection is not
// translated either, and then nobody can say where it should have come to. They are counted as `left`.
import {
  type Cluster,
  evaluatorOf,
  type Packet,
  type Verdict,
  workloadEndpointOf,
} from '../../../src/policy/index.ts';
import { type Family, hasWay, hosts, legsOf, type Meant, type Place, pod } from './places.ts';
import type { Probe, ProbeProtocol } from './wave.ts';

const ports = [79, 80, 81, 82, 83] as const;
/** Types and codes that rules of the generator tell apart, as type * 256 + code. All of them open a flow. */
const icmpMessages = { 4: [8 << 8, (8 << 8) | 1, 13 << 8], 6: [128 << 8, (128 << 8) | 1] } as const;
const families = [4, 6] as const;

/** A port where other protocols have an ICMP type is none, and ports that are failsafe unless the configuration says otherwise. */
const extra: readonly (readonly [ProbeProtocol, number])[] = [
  ['UDP', 8 << 8],
  ['TCP', 22],
  ['UDP', 53],
];

/** Where a cluster's first pod that runs is reached as a service. */
const service = {
  addresses: { 4: '10.96.0.1', 6: 'fd96::1' },
  port: 443,
  nodePort: 30080,
  targetPort: 80,
} as const;

/** Connections that exist go on to where they were translated to: each call is a new one. */
const callers = { first: 1100, count: 18_000, last: 0 };
const nextCaller = () => callers.first + (callers.last++ % callers.count);

export interface Expectation {
  readonly probe: Probe;
  readonly verdict: Pick<Verdict, 'action' | 'reasons'>;
}

export interface Plan {
  readonly expectations: readonly Expectation[];
  /** How many probes the kernel could not be asked about. */
  readonly left: number;
}

type Interfaces = (node: string) => Readonly<Record<string, readonly string[]>>;

/** The pods that take part, in the order of their numbers. */
export function runningPods({ pods }: Cluster): Place[] {
  return pods
    .filter((one) => workloadEndpointOf(one) !== undefined)
    .map(({ metadata }) => pod(Number(metadata.name.slice('pod-'.length))));
}

export function planOf({ stagedPolicies: _, ...cluster }: Cluster, interfaces: Interfaces): Plan {
  const judge = evaluatorOf(cluster);
  const judgeOuter = evaluatorOf(beforeTracking(cluster));
  const pods = runningPods(cluster);
  const places = [...pods, ...hosts];
  const expectations: Expectation[] = [];
  let number = 0;

  const expect = (probe: Probe, meant?: Meant) => {
    const { from, to, family } = probe;
    const packet = packetOf(probe);
    const verdicts = legsOf(from, to, family, interfaces, meant).map(
      ({ source, destination, crossings, isOuter }) =>
        isOuter
          ? judgeOuter({ source, destination, crossings, ...vxlan })
          : judge({ source, destination, crossings, ...packet }),
    );
    const denied = verdicts.find(({ action }) => action === 'Deny');
    const reasons = verdicts.flatMap((verdict) => verdict.reasons);
    expectations.push({ probe, verdict: denied ?? { action: 'Allow', reasons } });
  };

  for (const family of families) {
    for (const from of places) {
      for (const to of places) {
        if (!hasWay(from, to)) continue;
        for (const [protocol, destinationPort] of messagesOf(family)) {
          const sourcePort = isTranslated(from, to)
            ? 20_000 + (number++ % 30_000)
            : 79 + (destinationPort % 3);
          expect({ from, to, family, protocol, sourcePort, destinationPort });
        }
      }
    }
  }
  const [backend] = pods;
  if (!backend) return { expectations, left: 0 };
  const ofService = serviceProbes(backend, pods);
  const isUntracked = cluster.globalPolicies?.some(({ spec }) => spec.doNotTrack) ?? false;
  if (isUntracked) return { expectations, left: ofService.length };
  for (const { probe, meant } of ofService) expect(probe, meant);
  return { expectations, left: 0 };
}

/** Such a packet gets another source port on its way: that of a pod that leaves the cluster, or of a node whose packet takes the tunnel. */
function isTranslated(from: Place, to: Place): boolean {
  if (from.kind === 'pod') return to.kind !== 'pod';
  return from.kind === 'node' && to.kind === 'pod' && to.node !== from.node;
}

const vxlan = { protocol: 'UDP', sourcePort: 40_000, destinationPort: 4789 } as const;

/** The same without what the overlay's own packets are never asked: all policies but those before connection tracking. */
function beforeTracking(cluster: Cluster): Cluster {
  return {
    ...cluster,
    globalPolicies: (cluster.globalPolicies ?? []).filter(({ spec }) => spec.doNotTrack),
    hostEndpoints: (cluster.hostEndpoints ?? []).map((endpoint) => ({
      ...endpoint,
      spec: { ...endpoint.spec, profiles: ['projectcalico-default-allow'] },
    })),
  };
}

function messagesOf(family: Family): (readonly [ProbeProtocol, number])[] {
  return [
    ...(['TCP', 'UDP', 'SCTP'] as const).flatMap((protocol) =>
      ports.map((port) => [protocol, port] as const),
    ),
    ...extra,
    ...icmpMessages[family].map((message) => [family === 4 ? 'ICMP' : 'ICMPv6', message] as const),
  ];
}

function serviceProbes(backend: Place, pods: readonly Place[]): { probe: Probe; meant: Meant }[] {
  const nearby = [...pods, ...hosts].filter(
    ({ kind, node, name }) =>
      name !== backend.name &&
      (kind === 'outside' ||
        (kind === 'pod' && node === backend.node) ||
        (kind === 'behind' && backend.node === 'node-1')),
  );
  const node = hosts.find(({ name }) => name === backend.node);
  return families.flatMap((family) =>
    (['TCP', 'UDP'] as const).flatMap((protocol) => {
      const call = (from: Place, address: string, port: number) => ({
        probe: {
          from,
          to: backend,
          family,
          protocol,
          sourcePort: nextCaller(),
          destinationPort: service.targetPort,
          target: { address, port },
        },
        meant: { destination: address, destinationPort: port },
      });
      return [
        ...pods
          .filter(({ name }) => name !== backend.name)
          .map((from) => call(from, service.addresses[family], service.port)),
        ...nearby.map((from) => call(from, node?.addresses[family] ?? '', service.nodePort)),
      ];
    }),
  );
}

function packetOf({ protocol, sourcePort, destinationPort }: Probe): Omit<Packet, 'source' | 'destination'> {
  if (protocol !== 'ICMP' && protocol !== 'ICMPv6') return { protocol, sourcePort, destinationPort };
  return { protocol, icmp: { type: destinationPort >> 8, code: destinationPort & 255 } };
}

/** What a cluster's services are on a node, as kube-proxy would write them for one whose traffic stays local; input of `nft -f`. */
export function serviceRules(cluster: Cluster, node: string): string {
  const [backend] = runningPods(cluster);
  const flush = 'table inet services\ndelete table inet services\n';
  if (!backend) return flush;
  const rules = families.flatMap((family) => {
    const ip = family === 4 ? 'ip' : 'ip6';
    const own = backend.addresses[family];
    const target = family === 4 ? `${own}:${service.targetPort}` : `[${own}]:${service.targetPort}`;
    const host = hosts.find(({ name }) => name === node)?.addresses[family];
    return ['tcp', 'udp'].flatMap((protocol) => [
      `${ip} daddr ${service.addresses[family]} ${protocol} dport ${service.port} dnat ${ip} to ${target};`,
      ...(node === backend.node
        ? [`${ip} daddr ${host} ${protocol} dport ${service.nodePort} dnat ${ip} to ${target};`]
        : []),
    ]);
  });
  return `${flush}table inet services {
    chain prerouting { type nat hook prerouting priority -100;
      ${rules.join('\n      ')}
    }
  }\n`;
}
