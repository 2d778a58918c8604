// A cluster that runs Calico before native definitions, as far as the kernel and the API server can tell: its objects, and on two
// nodes its interfaces, routes, tunnel and rules, with pods that talk. Only its programs are not there.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { shimPath } from '../../src/cni/index.ts';
import type { Datastore } from '../../src/datastore/index.ts';
import { Agent } from '../../src/lab/agents.ts';
import { LabApi, nodeKubeconfig } from '../../src/lab/api.ts';
import { callCni } from '../../src/lab/kubelet/cni.ts';
import { networkConfiguration } from '../../src/lab/kubelet/netconf.ts';
import { registerNode } from '../../src/lab/kubelet/node-status.ts';
import { Prober } from '../../src/lab/prober/client.ts';
import { removeRun } from '../../src/lab/run/cleanup.ts';
import { runVariable } from '../../src/lab/run/processes.ts';
import { createRun, namespacePrefix, nodeRoot, type Run } from '../../src/lab/run/run.ts';
import { Underlay } from '../../src/lab/underlay.ts';
import {
  kubernetesNetworkPolicies,
  namespaces,
  nodeAnnotations,
  nodes,
  type Pod,
  pods,
} from '../../src/resources/index.ts';
import { declareLegacyKinds, type Legacy, legacy, legacyKind } from '../calicoctl/legacy-cluster.ts';
import { until } from '../kube-controllers/until.ts';

interface UpstreamNode {
  readonly name: string;
  readonly block: string;
  readonly tunnel: string;
  readonly tunnelMac: string;
}

const upstreamNodes: readonly [UpstreamNode, UpstreamNode] = [
  { name: 'node-1', block: '192.168.71.0/26', tunnel: '192.168.71.0', tunnelMac: '66:0a:0b:0c:0d:01' },
  { name: 'node-2', block: '192.168.72.0/26', tunnel: '192.168.72.0', tunnelMac: '66:0a:0b:0c:0d:02' },
];

export interface UpstreamPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly ip: string;
  readonly containerId: string;
}

const pod = (namespace: string, name: string, node: string, ip: string): UpstreamPod => ({
  namespace,
  name,
  node,
  ip,
  containerId: createHash('sha256').update(name).digest('hex'),
});

export const upstreamPods = {
  front: pod('shop', 'front', 'node-1', '192.168.71.1'),
  db: pod('shop', 'db', 'node-1', '192.168.71.2'),
  cart: pod('shop', 'cart', 'node-2', '192.168.72.1'),
  api: pod('test', 'api', 'node-2', '192.168.72.2'),
} as const;
const everyPod = Object.values(upstreamPods);
const port = 53;

/** What node and cluster settle on by name: Calico's, kept by whoever takes a pod over. */
function hostInterface({ namespace, name }: UpstreamPod): string {
  return `cali${createHash('sha1').update(`${namespace}.${name}`).digest('hex').slice(0, 11)}`;
}

const longAgo = '2025-01-01T00:00:00Z';

export class UpstreamCluster implements AsyncDisposable {
  readonly prober: Prober;
  readonly api: LabApi;
  readonly #run: Run;
  readonly #underlay: Underlay;
  readonly #agents: Agent[] = [];
  /** What agents said when they died. */
  readonly deaths: string[] = [];

  private constructor(run: Run, underlay: Underlay, api: LabApi) {
    this.#run = run;
    this.#underlay = underlay;
    this.api = api;
    this.prober = new Prober(run.id);
  }

  static async start(id: string): Promise<UpstreamCluster> {
    const run = createRun(id);
    try {
      const underlay = Underlay.make(namespacePrefix(id), upstreamNodes.length);
      const cluster = new UpstreamCluster(run, underlay, await LabApi.start(run, underlay, () => {}));
      await cluster.#createObjects();
      for (const node of upstreamNodes) await cluster.#wireNode(node);
      for (const one of everyPod) await cluster.#wirePod(one);
      for (const { name } of upstreamNodes) cluster.#restoreRules(name);
      return cluster;
    } catch (error) {
      await removeRun(run);
      throw error;
    }
  }

  get datastore(): Datastore {
    return this.api.datastore;
  }

  /** Runs a program in the network namespace of a node. */
  onNode(node: string, ...[command = '', ...arguments_]: string[]): string {
    const path = this.#underlay.node(node).namespacePath;
    return execFileSync('nsenter', [`--net=${path}`, command, ...arguments_], { encoding: 'utf8' });
  }

  /** Path of a pod's network namespace. */
  namespaceOf({ namespace, name }: UpstreamPod): string {
    return `/run/netns/${namespacePrefix(this.#run.id)}.${namespace}-${name}`;
  }

  /** Starts our agent on a node, and resolves when it says that it is ready. */
  async takeOver(node: string): Promise<void> {
    this.#agents.push(
      new Agent({
        node,
        root: nodeRoot(this.#run, node),
        kubeconfig: nodeKubeconfig(this.#run, node),
        environment: { [runVariable]: this.#run.id, CALICO_NETWORKING_BACKEND: 'vxlan' },
        spawnOnNode: this.#underlay.onNode(node),
        died: (message) => this.deaths.push(message),
      }),
    );
    await until(this.datastore, nodes, `${node} to be ready`, (all) => {
      const of = all.find(({ metadata }) => metadata.name === node);
      const condition = of?.status?.conditions?.find(({ type }) => type === 'NetworkUnavailable');
      return condition !== undefined && condition.lastHeartbeatTime !== longAgo;
    });
  }

  /** Calls our CNI plugin for a pod, as its container runtime does; returns the addresses that ADD gives. */
  async cni(
    command: 'ADD' | 'DEL',
    of: UpstreamPod,
    namespacePath = this.namespaceOf(of),
  ): Promise<string[]> {
    return callCni({
      plugin: shimPath(),
      command,
      containerId: of.containerId,
      namespacePath,
      pod: await this.datastore.get(pods, { namespace: of.namespace, name: of.name }),
      configuration: networkConfiguration(nodeRoot(this.#run, of.node)),
      environment: { [runVariable]: this.#run.id },
      spawnOnNode: this.#underlay.onNode(of.node),
      signal: new AbortController().signal,
    });
  }

  /** Creates a pod in the API, and a namespace for it. */
  async createPod(of: UpstreamPod): Promise<void> {
    this.#underlay.makePodNamespace(`${of.namespace}-${of.name}`);
    await this.datastore.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: of.namespace, name: of.name, labels: { app: of.name } },
      spec: { nodeName: of.node, containers: [{ name: 'main', image: 'any' }] },
    } as Pod);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.stop()));
    await this.prober.close();
    await this.api.close();
    this.#underlay.close();
    await removeRun(this.#run);
  }

  async #createObjects(): Promise<void> {
    const store = this.datastore;
    for (const name of ['shop', 'test']) {
      await store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
    for (const { name, tunnel, tunnelMac } of upstreamNodes) {
      const { address } = this.#underlay.node(name);
      await registerNode(store, name, address);
      const annotations = {
        [nodeAnnotations.ipv4Address]: `${address}/24`,
        [nodeAnnotations.ipv4VxlanTunnelAddress]: tunnel,
        [nodeAnnotations.vxlanTunnelMac]: tunnelMac,
      };
      const conditions = [
        {
          type: 'NetworkUnavailable',
          status: 'False',
          reason: 'CalicoIsUp',
          message: 'Calico is running on this node',
          lastHeartbeatTime: longAgo,
          lastTransitionTime: longAgo,
        },
      ];
      await store.mergePatch(
        nodes,
        { name },
        { metadata: { annotations }, status: { conditions } },
        { subresource: 'status' },
      );
    }
    await declareLegacyKinds(store);
    for (const object of [...clusterObjects(), ...upstreamNodes.flatMap(addressObjects)]) {
      await store.create(legacyKind(object.kind), object);
    }
    await store.create(kubernetesNetworkPolicies, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: 'test', name: 'deny-all' },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    });
  }

  /** The tunnel and the way to the other node's block. */
  async #wireNode({ name, block, tunnel, tunnelMac }: UpstreamNode): Promise<void> {
    const { address } = this.#underlay.node(name);
    const other = upstreamNodes.find((one) => one.name !== name) ?? upstreamNodes[0];
    const parent = `id 4096 dstport 4789 local ${address} dev eth0 nolearning`;
    this.#ip(
      name,
      `link add vxlan.calico address ${tunnelMac} mtu 1450 type vxlan ${parent}`,
      'link set vxlan.calico up',
      `addr add ${tunnel}/32 dev vxlan.calico`,
      `neigh add ${other.tunnel} lladdr ${other.tunnelMac} dev vxlan.calico nud permanent`,
      `route add ${other.block} via ${other.tunnel} dev vxlan.calico onlink proto 80`,
      `route add blackhole ${block} proto 80`,
    );
    const peer = this.#underlay.node(other.name).address;
    this.onNode(name, 'bridge', 'fdb', 'add', other.tunnelMac, 'dev', 'vxlan.calico', 'dst', peer);
    this.onNode(name, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const { namespacePath } = this.#underlay.node(name);
    await this.prober.ask('addNode', { name, namespacePath, address: tunnel });
  }

  async #wirePod(of: UpstreamPod): Promise<void> {
    const { namespace, name, node, ip, containerId } = of;
    const path = this.#underlay.makePodNamespace(`${namespace}-${name}`);
    const link = hostInterface(of);
    this.#ip(
      node,
      `link add ${link} address ee:ee:ee:ee:ee:ee mtu 1450 type veth peer name eth0 mtu 1450 netns ${path.split('/').at(-1)}`,
      `link set ${link} up`,
      // Felix' deviceRouteProtocol: the default on one node, as some set it on the other.
      `route add ${ip}/32 dev ${link} scope link proto ${node === 'node-1' ? 'boot' : 80}`,
    );
    for (const setting of ['proxy_arp=1', 'rp_filter=1', 'route_localnet=1']) {
      this.onNode(node, 'sysctl', '-qw', `net.ipv4.conf.${link}.${setting}`);
    }
    execFileSync('ip', ['-n', path.split('/').at(-1) ?? '', '-batch', '-'], {
      input: `link set eth0 up\naddr add ${ip}/32 dev eth0\nroute add 169.254.1.1 dev eth0\nroute add default via 169.254.1.1 dev eth0\n`,
    });
    await this.datastore.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        namespace,
        name,
        labels: { app: name },
        annotations: {
          'cni.projectcalico.org/podIP': `${ip}/32`,
          'cni.projectcalico.org/podIPs': `${ip}/32`,
          'cni.projectcalico.org/containerID': containerId,
        },
      },
      spec: { nodeName: node, containers: [{ name: 'main', image: 'any' }] },
    } as Pod);
    await this.datastore.mergePatch(
      pods,
      { namespace, name },
      { status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] } },
      { subresource: 'status' },
    );
    const listen = [{ protocol: 'udp', port }] as const;
    await this.prober.ask('addPod', { key: `${namespace}/${name}`, node, namespacePath: path, ip, listen });
  }

  /** Calico's rules beside kube-proxy's: who may talk to whom is decided by them until they are taken out. */
  #restoreRules(node: string): void {
    const chains = everyPod
      .filter((one) => one.node === node)
      .map((one) => {
        const chain = `cali-tw-${hostInterface(one)}`;
        const refused = refusedSources(one).map((source) => `-A ${chain} -s ${source} -j DROP`);
        return { chain, rules: [...refused, `-A ${chain} -j RETURN`], link: hostInterface(one) };
      });
    const rules = [
      '*nat',
      ':PREROUTING ACCEPT',
      ':KUBE-SERVICES - [0:0]',
      '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      'COMMIT',
      '*filter',
      ':FORWARD ACCEPT',
      ':cali-FORWARD - [0:0]',
      ...chains.map(({ chain }) => `:${chain} - [0:0]`),
      '-A FORWARD -m comment --comment "cali:wUHhoiAYhphO9Mso" -j cali-FORWARD',
      ...chains.map(({ chain, link }) => `-A cali-FORWARD -o ${link} -j ${chain}`),
      ...chains.flatMap((one) => one.rules),
      'COMMIT',
      '',
    ].join('\n');
    const path = this.#underlay.node(node).namespacePath;
    execFileSync('nsenter', [`--net=${path}`, 'iptables-nft-restore'], { input: rules });
  }

  #ip(node: string, ...commands: string[]): void {
    const name = this.#underlay.node(node).namespacePath.split('/').at(-1) ?? '';
    execFileSync('ip', ['-n', name, '-batch', '-'], { input: `${commands.join('\n')}\n` });
  }
}

/** What the two policies say, as addresses: nobody to the pod of "test", and the cart not to the database. */
function refusedSources(of: UpstreamPod): string[] {
  if (of === upstreamPods.api) return ['0.0.0.0/0'];
  return of === upstreamPods.db ? [upstreamPods.cart.ip] : [];
}

function clusterObjects(): Legacy[] {
  return [
    legacy(
      'ClusterInformation',
      { name: 'default' },
      {
        clusterGUID: '0123456789abcdef0123456789abcdef',
        clusterType: 'k8s,kdd',
        calicoVersion: 'v3.29.1',
        datastoreReady: true,
      },
    ),
    legacy('FelixConfiguration', { name: 'default' }, { logSeverityScreen: 'Info', vxlanEnabled: true }),
    legacy(
      'IPPool',
      { name: 'default-ipv4-ippool' },
      {
        cidr: '192.168.0.0/16',
        blockSize: 26,
        vxlanMode: 'Always',
        ipipMode: 'Never',
        natOutgoing: true,
        nodeSelector: 'all()',
        allowedUses: ['Workload', 'Tunnel'],
      },
    ),
    legacy(
      'GlobalNetworkPolicy',
      { name: 'default.no-cart-to-db' },
      {
        selector: "app == 'db'",
        types: ['Ingress'],
        ingress: [{ action: 'Deny', source: { selector: "app == 'cart'" } }, { action: 'Allow' }],
      },
    ),
    legacy('IPAMConfig', { name: 'default' }, { strictAffinity: false, autoAllocateBlocks: true }),
  ];
}

function addressObjects({ name: node, block }: UpstreamNode): Legacy[] {
  const own = everyPod.filter((one) => one.node === node);
  const handles = [
    { handle: `vxlan-tunnel-addr-${node}`, secondary: { node, type: 'vxlanTunnelAddress' } },
    ...own.map(({ containerId, namespace, name }) => ({
      handle: `k8s-pod-network.${containerId}`,
      secondary: { node, namespace, pod: name, timestamp: '2025-01-01 00:00:00 +0000 UTC' },
    })),
  ];
  const free = Array.from({ length: 64 - handles.length }, (_, index) => index + handles.length);
  const dashes = block.replace(/[./]/g, '-');
  return [
    legacy(
      'IPAMBlock',
      { name: dashes },
      {
        cidr: block,
        affinity: `host:${node}`,
        allocations: [...handles.keys(), ...free.map(() => null)],
        unallocated: free,
        attributes: handles.map(({ handle, secondary }) => ({ handle_id: handle, secondary })),
        deleted: false,
        strictAffinity: false,
        sequenceNumber: handles.length,
        sequenceNumberForAllocation: Object.fromEntries(handles.map((_, index) => [String(index), index])),
      },
    ),
    legacy(
      'BlockAffinity',
      { name: `${node}-${dashes}` },
      { cidr: block, node, state: 'confirmed', deleted: 'false' },
    ),
    ...handles.map(({ handle }) =>
      legacy('IPAMHandle', { name: handle }, { handleID: handle, block: { [block]: 1 }, deleted: false }),
    ),
  ];
}
