// Nodes with real agents on which every setting shows in the kernel: interfaces beside pods', host endpoints on them, pods with
// floating addresses and sources of their own, a policy that logs, and a far node with pods in a pool with an overlay and in one without.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  closeNamespace,
  type Link,
  openNamespace,
  type Route,
  Rtnetlink,
  readSysctl,
  writeSysctls,
} from '../../src/kernel/index.ts';
import { namespacePrefix, nodeRoot } from '../../src/lab/run/run.ts';
import {
  type FelixConfiguration,
  felixConfigurations,
  globalNetworkPolicies,
  hostEndpoints,
  ipamBlocks,
  nodeAnnotations,
  nodes,
  type Pod,
  pods,
} from '../../src/resources/index.ts';
import { Agents, namespace, type Sandbox } from '../../torture/agents/agents.ts';
import { addPod, logOf } from './agent-at-work.ts';

const apiVersion = 'projectcalico.org/v3';
const farNode = 'far';

/** On the underlay, where nobody answers. */
export const farAddress = '172.30.0.99';
/** The far node's end of the tunnel, and its pods and their blocks: in a pool with an overlay, and in one without. */
export const farTunnel = '10.78.1.0';
export const far = {
  overlaid: { pod: '10.78.1.7', block: '10.78.1.0/26' },
  plain: { pod: '10.79.1.7', block: '10.79.1.0/26' },
} as const;
/** Addresses that the nodes themselves have. */
export const own = { 4: '172.31.0.1', 6: 'fd00:77::1' } as const;
/** Interfaces that the nodes have besides: one by which the world might be reached, and one of a workload that nobody here knows. */
export const wan = { name: 'wan0', mtu: 1400 } as const;
export const tap = 'tap0';
export const floating = '172.31.9.9';
export const source = '172.31.8.0/24';

/** `environments` and `files` say what the agents of nodes find there. */
export async function startNodes(
  id: string,
  {
    names,
    environments,
    files,
    configurations,
  }: {
    readonly names: readonly string[];
    readonly environments: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly files: Readonly<Record<string, string>>;
    readonly configurations: Readonly<Record<string, FelixConfiguration['spec']>>;
  },
): Promise<Agents> {
  return Agents.start({
    id,
    nodes: names.length,
    pools: {
      four: { cidr: '10.78.0.0/20', blockSize: 26, vxlanMode: 'Always', natOutgoing: true },
      plain: { cidr: '10.79.0.0/20', blockSize: 26, vxlanMode: 'Never', nodeSelector: 'has(nothing)' },
      six: { cidr: 'fd00:78::/112', blockSize: 122, vxlanMode: 'Never' },
    },
    families: [4, 6],
    environments,
    prepare: async (agents) => {
      const { datastore } = agents;
      for (const [name, text] of Object.entries(files)) {
        const path = join(nodeRoot(agents.run, name), 'etc', 'felix.cfg');
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
      }
      for (const [name, spec] of Object.entries(configurations))
        await datastore.create(felixConfigurations, {
          apiVersion,
          kind: 'FelixConfiguration',
          metadata: { name: `node.${name}` },
          spec,
        });
      for (const name of names) {
        prepareNode(namespaceOf(agents, name));
        for (const interfaceName of [wan.name, tap])
          await datastore.create(hostEndpoints, {
            apiVersion,
            kind: 'HostEndpoint',
            metadata: { name: `${name}-${interfaceName}` },
            spec: { node: name, interfaceName },
          });
      }
      await datastore.create(globalNetworkPolicies, {
        apiVersion,
        kind: 'GlobalNetworkPolicy',
        metadata: { name: 'logs' },
        spec: {
          namespaceSelector: 'all()',
          types: ['Ingress'],
          ingress: [{ action: 'Log' }, { action: 'Deny' }],
        },
      });
      await addFarNode(agents);
    },
  });
}

function namespaceOf(agents: Agents, node: string): string {
  return `${namespacePrefix(agents.run.id)}.${node}`;
}

function prepareNode(name: string): void {
  const lines = [
    `link add ${wan.name} mtu ${wan.mtu} type veth peer name ${tap}`,
    `link set ${wan.name} up`,
    `link set ${tap} up`,
    ...Object.values(own).map((address) => `addr add ${address} dev lo`),
  ];
  execFileSync('ip', ['-n', name, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  const descriptor = openNamespace(`/run/netns/${name}`);
  try {
    writeSysctls(descriptor, { 'net/ipv4/ip_forward': 0 });
  } finally {
    closeNamespace(descriptor);
  }
}

/** A node without an agent, with a pod and a block in each pool. */
async function addFarNode({ datastore }: Agents): Promise<void> {
  await datastore.create(nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: farNode,
      annotations: {
        [nodeAnnotations.ipv4Address]: `${farAddress}/24`,
        [nodeAnnotations.ipv4VxlanTunnelAddress]: farTunnel,
        [nodeAnnotations.vxlanTunnelMac]: '66:00:00:00:00:99',
      },
    },
  });
  for (const [name, { pod, block }] of Object.entries(far)) {
    const size = 64;
    await datastore.create(ipamBlocks, {
      apiVersion,
      kind: 'IPAMBlock',
      metadata: { name: block.replaceAll(/[./]/g, '-') },
      spec: {
        cidr: block,
        affinity: `host:${farNode}`,
        allocations: new Array<null>(size).fill(null),
        attributes: [],
        unallocated: [...Array(size).keys()],
        strictAffinity: false,
        sequenceNumber: 0,
      },
    });
    const created = await datastore.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `far-${name}`, namespace },
      spec: { nodeName: farNode, containers: [{ name: 'main', image: 'none' }] },
    });
    await datastore.updateStatus(pods, {
      ...created,
      status: { phase: 'Running', podIP: pod, podIPs: [{ ip: pod }] },
    });
  }
}

/** A pod that stays, with a floating address and a source that is not its own. */
export async function addSettledPod(agents: Agents, node: string): Promise<NodeWithPod> {
  const name = `stays-${node}`;
  const annotations = {
    'cni.projectcalico.org/floatingIPs': JSON.stringify([floating]),
    'cni.projectcalico.org/allowedSourcePrefixes': JSON.stringify([source]),
  };
  const pod: Pod = await agents.datastore.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, annotations },
    spec: { nodeName: node, containers: [{ name: 'main', image: 'none' }] },
  });
  const namespacePath = agents.makePodNamespace(name);
  const sandbox: Sandbox = { pod, node, namespacePath, containerId: randomBytes(32).toString('hex') };
  return new NodeWithPod(agents, node, await addPod(agents, sandbox));
}

/** What a node's kernel says. */
export class NodeWithPod {
  readonly node: string;
  /** Of the pod. */
  readonly addresses: readonly string[];
  readonly #agents: Agents;

  constructor(agents: Agents, node: string, addresses: readonly string[]) {
    this.#agents = agents;
    this.node = node;
    this.addresses = addresses;
  }

  get #namespace(): string {
    return namespaceOf(this.#agents, this.node);
  }

  /** Name of the host's end of the pod's link. */
  get podLink(): string {
    const [name = ''] = this.#agents.podLinks(this.node);
    return name;
  }

  /** The pod's address of that family. */
  address(family: 4 | 6): string {
    return this.addresses.find((address) => address.includes(':') === (family === 6)) ?? '';
  }

  /** Our table as nft(8) writes it. */
  get table(): string {
    return this.#run('nft', 'list', 'table', 'inet', 'calico');
  }

  /** ip(8) in the node. */
  ip(...args: string[]): string {
    return execFileSync('ip', ['-n', this.#namespace, ...args], { encoding: 'utf8' });
  }

  /** Addresses and ports of TCP at which somebody listens. */
  get listening(): string {
    return this.#run('ss', '-ltnH');
  }

  get log(): string {
    return logOf(this.#agents, this.node);
  }

  /** The largest packet of new pods, in bytes. */
  get podMtu(): number {
    return Number(readFileSync(join(nodeRoot(this.#agents.run, this.node), 'lib', 'mtu'), 'utf8'));
  }

  get routes(): Route[] {
    return this.#rtnetlink((rtnetlink) => rtnetlink.routes());
  }

  link(name: string): Link | undefined {
    return this.#rtnetlink((rtnetlink) => rtnetlink.link(name));
  }

  sysctl(key: string): string {
    return this.#inside((descriptor) => readSysctl(descriptor, key));
  }

  setSysctl(key: string, value: number): void {
    this.#inside((descriptor) => writeSysctls(descriptor, { [key]: value }));
  }

  #rtnetlink<T>(ask: (rtnetlink: Rtnetlink) => T): T {
    return this.#inside((descriptor) => {
      using rtnetlink = Rtnetlink.open({ namespace: descriptor });
      return ask(rtnetlink);
    });
  }

  #inside<T>(ask: (descriptor: number) => T): T {
    const descriptor = openNamespace(`/run/netns/${this.#namespace}`);
    try {
      return ask(descriptor);
    } finally {
      closeNamespace(descriptor);
    }
  }

  #run(...command: string[]): string {
    return execFileSync('nsenter', [`--net=/run/netns/${this.#namespace}`, ...command], { encoding: 'utf8' });
  }
}
