// What a calico-node is told by its environment. Names and defaults are upstream's.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type BgpPaths, bgpPaths, parseAsNumber } from '../bgp/index.ts';
import { tryParseCidr } from '../net/index.ts';
import { tryDurationMs } from '../process/index.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Encapsulation = 'Never' | 'Always' | 'CrossSubnet';

/** A pool to make when there is none of its family. */
export interface DefaultPool {
  readonly name: string;
  readonly family: 4 | 6;
  /** Undefined when nobody names one: kubeadm's is meant, if it was told one. */
  readonly cidr: string | undefined;
  readonly blockSize: number;
  readonly vxlanMode: Encapsulation;
  readonly ipipMode: Encapsulation;
  readonly natOutgoing: boolean;
  readonly nodeSelector: string;
  readonly disableBGPExport: boolean;
}

export interface NodeOptions {
  readonly node: string;
  /** Undefined inside of a pod, whose service account is used then. */
  readonly kubeconfig: string | undefined;
  /** "autodetect", "none", or the address itself with or without its prefix length. */
  readonly ip: string;
  readonly ip6: string;
  readonly ipMethod: string;
  readonly ip6Method: string;
  /** Milliseconds between two looks at the node's addresses; 0 for none. */
  readonly addressPollMs: number;
  readonly defaultPools: readonly DefaultPool[];
  /** Who made the cluster and what runs in it, as ClusterInformation tells: "k8s,bgp". */
  readonly clusterType: string;
  /** Who makes the ways between nodes that are no overlay: BIRD, or nobody. */
  readonly backend: 'bird' | 'vxlan' | 'none';
  /** Number of the node's autonomous system; undefined when the cluster's is meant. */
  readonly asNumber: number | undefined;
  /** Of calico-node's own pod. */
  readonly namespace: string;
  /** Name or path of BIRD's program. */
  readonly birdProgram: string;
  readonly logLevel: string;
  /** Whose token the kubeconfig of the CNI plugin gets. */
  readonly cniAccount: { readonly namespace: string; readonly name: string };
  readonly paths: NodePaths;
}

/** Everything that a node keeps in files lives below these. */
export interface NodePaths {
  readonly cniSocket: string;
  /** DELs that wait for the agent or the datastore. */
  readonly cniDeletions: string;
  /** Where other CNI plugins are to be found, besides where the container runtime says. */
  readonly pluginFolders: readonly string[];
  /** Felix' settings for this node, below its environment; need not exist. */
  readonly felixConfiguration: string;
  readonly bird: BgpPaths;
  readonly nodename: string;
  readonly mtu: string;
}

/** The host's folders as a container sees them, the host's own, and Debian's. */
const pluginFolders = ['/host/opt/cni/bin', '/opt/cni/bin', '/usr/lib/cni'];

/** @throws RangeError that names the variable, its value and what would be right */
export function readOptions(environment: Environment): NodeOptions {
  const read = (name: string, otherwise: string) => environment[name] || otherwise;
  const root = environment.CALICO_ROOT;
  return {
    node: read('NODENAME', read('HOSTNAME', hostname())).trim(),
    kubeconfig: environment.KUBECONFIG,
    ip: read('IP', 'autodetect'),
    ip6: read('IP6', 'none'),
    ipMethod: read('IP_AUTODETECTION_METHOD', 'first-found'),
    ip6Method: read('IP6_AUTODETECTION_METHOD', 'first-found'),
    addressPollMs: readDuration('AUTODETECT_POLL_INTERVAL', read('AUTODETECT_POLL_INTERVAL', '60s')),
    defaultPools: environment.NO_DEFAULT_POOLS === 'true' ? [] : readPools(environment),
    clusterType: read('CLUSTER_TYPE', 'k8s'),
    backend: readBackend(read('CALICO_NETWORKING_BACKEND', 'bird')),
    asNumber: readAsNumber(environment.AS),
    namespace: read('CALICO_NAMESPACE', ownNamespace() ?? 'kube-system'),
    birdProgram: read('CALICO_BIRD', 'bird'),
    logLevel: read('FELIX_LOGSEVERITYSCREEN', 'info').toLowerCase().replace('warning', 'warn'),
    cniAccount: { namespace: read('CALICO_NAMESPACE', 'calico-system'), name: 'calico-cni-plugin' },
    // With a root, several nodes can share one file system.
    paths: root
      ? {
          pluginFolders,
          cniSocket: join(root, 'run/cni.sock'),
          cniDeletions: join(root, 'lib/cni-deletions'),
          felixConfiguration: join(root, 'etc/felix.cfg'),
          bird: bgpPaths(root),
          nodename: join(root, 'lib/nodename'),
          mtu: join(root, 'lib/mtu'),
        }
      : {
          pluginFolders,
          cniDeletions: '/var/lib/calico/cni-deletions',
          cniSocket: '/var/run/calico/cni.sock',
          felixConfiguration: '/etc/calico/felix.cfg',
          bird: bgpPaths(undefined),
          nodename: '/var/lib/calico/nodename',
          mtu: '/var/lib/calico/mtu',
        },
  };
}

/** Of the pod that we run in; undefined outside of one. */
function ownNamespace(): string | undefined {
  try {
    return readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/namespace', 'utf8').trim();
  } catch {
    // There is no such file where there is no pod.
    return undefined;
  }
}

function readBackend(value: string): NodeOptions['backend'] {
  const backend = (['bird', 'vxlan', 'none'] as const).find((known) => known === value);
  if (backend) return backend;
  throw new RangeError(`CALICO_NETWORKING_BACKEND is "${value}"; it must be "bird", "vxlan" or "none"`);
}

function readAsNumber(value: string | undefined): number | undefined {
  if (!value) return undefined;
  const asNumber = parseAsNumber(value);
  if (asNumber !== undefined) return asNumber;
  throw new RangeError(
    `AS is "${value}"; it must be the number of an autonomous system, such as 64512 or 1.10`,
  );
}

function readPools(environment: Environment): DefaultPool[] {
  const read = (family: 4 | 6, name: string) => environment[`CALICO_IPV${family}POOL_${name}`] || undefined;
  const isWithoutIpv6 = (environment.IP6 || 'none') === 'none';
  const pools: DefaultPool[] = [];
  for (const family of [4, 6] as const) {
    const cidr = read(family, 'CIDR');
    if (cidr === 'none' || (cidr === undefined && family === 6 && isWithoutIpv6)) continue;
    if (cidr !== undefined && tryParseCidr(cidr)?.family !== family) {
      throw new RangeError(
        `CALICO_IPV${family}POOL_CIDR is "${cidr}"; it must be an IPv${family} CIDR or "none"`,
      );
    }
    const isNat = read(family, 'NAT_OUTGOING');
    pools.push({
      name: `default-ipv${family}-ippool`,
      family,
      cidr,
      blockSize: readNumber(
        `CALICO_IPV${family}POOL_BLOCK_SIZE`,
        read(family, 'BLOCK_SIZE'),
        family === 4 ? 26 : 122,
      ),
      vxlanMode: readEncapsulation(`CALICO_IPV${family}POOL_VXLAN`, read(family, 'VXLAN')),
      ipipMode: family === 4 ? readEncapsulation('CALICO_IPV4POOL_IPIP', read(4, 'IPIP')) : 'Never',
      natOutgoing: isNat === undefined ? family === 4 : isNat === 'true',
      nodeSelector: read(family, 'NODE_SELECTOR') ?? 'all()',
      disableBGPExport: read(family, 'DISABLE_BGP_EXPORT') === 'true',
    });
  }
  return pools;
}

function readEncapsulation(name: string, value: string | undefined): Encapsulation {
  switch (value?.toLowerCase()) {
    case undefined:
    case 'never':
    case 'off':
      return 'Never';
    case 'always':
      return 'Always';
    case 'crosssubnet':
    case 'cross-subnet':
      return 'CrossSubnet';
    default:
      throw new RangeError(`${name} is "${value}"; it must be "Always", "CrossSubnet" or "Never"`);
  }
}

function readDuration(name: string, value: string): number {
  const duration = tryDurationMs(value);
  if (duration !== undefined) return duration;
  throw new RangeError(`${name} is "${value}"; it must be a duration such as "60s", or 0 for never`);
}

function readNumber(name: string, value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (/^[0-9]+$/.test(value)) return Number(value);
  throw new RangeError(`${name} is "${value}"; it must be a number`);
}
