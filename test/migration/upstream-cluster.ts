// A cluster that runs Calico before native definitions, as far as the kernel and the API server can tell: its objects, and on two
// nodes its interfaces, routes, tunnels and rules, with pods that talk. Of its programs only BIRD is there.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { bgpPaths, birdStatus, unreadyReasons } from '../../src/bgp/index.ts';
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
import type { Family } from '../../src/net/index.ts';
import {
  kubernetesNetworkPolicies,
  namespaces,
  nodeAnnotations,
  nodes,
  type Pod,
  pods,
} from '../../src/resources/index.ts';
import { declareLegacyKinds, legacyKind } from '../calicoctl/legacy-cluster.ts';
import { until } from '../kube-controllers/until.ts';
import { UpstreamBird } from './upstream-bird.ts';
import { addressObjects, clusterObjects } from './upstream-objects.ts';
import { ipSetsText, iptablesText, nftablesText, serviceRules } from './upstream-rules.ts';
import {
  everyPod,
  hostInterface,
  keyOfPod,
  otherNode,
  prefixLengths,
  tunnelDevices,
  type UpstreamNode,
  type UpstreamPod,
  type UpstreamShape,
  upstreamNodes,
} from './upstream-shape.ts';

const port = 53;
const longAgo = '2025-01-01T00:00:00Z';
const deadlineMs = 90_000;

/** What the prober calls a pod at its address of a family. */
export const proberKey = (of: UpstreamPod, family: Family): string => `${keyOfPod(of)} IPv${family}`;

export class UpstreamCluster implements AsyncDisposable {
  readonly prober: Prober;
  readonly api: LabApi;
  readonly #run: Run;
  readonly #underlay: Underlay;
  readonly #shape: UpstreamShape;
  readonly #agents: Agent[] = [];
  readonly #birds = new Map<string, UpstreamBird[]>();
  /** What agents said when they died. */
  readonly deaths: string[] = [];

  private constructor(run: Run, underlay: Underlay, api: LabApi, shape: UpstreamShape) {
    this.#shape = shape;
    this.#run = run;
    this.#underlay = underlay;
    this.api = api;
    this.prober = new Prober(run.id);
  }

  static async start(id: string, shape: UpstreamShape): Promise<UpstreamCluster> {
    const run = createRun(id);
    try {
      const underlay = Underlay.make(namespacePrefix(id), upstreamNodes.length);
      const cluster = new UpstreamCluster(run, underlay, await LabApi.start(run, underlay, () => {}), shape);
      await cluster.#createObjects();
      for (const node of upstreamNodes) await cluster.#wireNode(node);
      for (const one of everyPod) await cluster.#wirePod(one);
      for (const node of upstreamNodes) cluster.#restoreRules(node);
      if (shape.routing === 'bird') await cluster.#startBirds();
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
  onNode(node: string, [command = '', ...arguments_]: readonly string[], input = ''): string {
    const path = this.#underlay.node(node).namespacePath;
    return execFileSync('nsenter', [`--net=${path}`, command, ...arguments_], {
      encoding: 'utf8',
      stdio: 'pipe',
      input,
    });
  }

  kubeconfigOf(node: string): string {
    return nodeKubeconfig(this.#run, node);
  }

  /** What starts a program in the network namespace of a node. */
  within(node: string): readonly string[] {
    return ['nsenter', `--net=${this.#underlay.node(node).namespacePath}`];
  }

  /** Path of a pod's network namespace. */
  namespaceOf({ namespace, name }: UpstreamPod): string {
    return `/run/netns/${namespacePrefix(this.#run.id)}.${namespace}-${name}`;
  }

  /** Ends what runs of the old Calico on a node, starts our agent there, and resolves when it says that it is ready. */
  async takeOver(node: string): Promise<void> {
    for (const bird of this.#birds.get(node) ?? []) await bird.kill();
    this.#birds.delete(node);
    const root = nodeRoot(this.#run, node);
    this.#agents.push(
      new Agent({
        node,
        root,
        kubeconfig: nodeKubeconfig(this.#run, node),
        environment: {
          [runVariable]: this.#run.id,
          CALICO_NETWORKING_BACKEND: this.#shape.routing,
          ...(this.#shape.families.includes(6) && { IP6: 'autodetect' }),
        },
        spawnOnNode: this.#underlay.onNode(node),
        died: (message) => this.deaths.push(message),
      }),
    );
    await until(this.datastore, nodes, `${node} to be ready`, (all) => {
      const of = all.find(({ metadata }) => metadata.name === node);
      const condition = of?.status?.conditions?.find(({ type }) => type === 'NetworkUnavailable');
      return condition !== undefined && condition.lastHeartbeatTime !== longAgo;
    });
    if (this.#shape.routing === 'bird') {
      await this.#untilTrue(`BGP of ${node} is up`, async () => {
        const status = await birdStatus(bgpPaths(root).socket);
        return status.sessions.length > 0 && unreadyReasons(status).length === 0;
      });
    }
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
      configuration: this.#networkConfiguration(of.node),
      environment: { [runVariable]: this.#run.id },
      spawnOnNode: this.#underlay.onNode(of.node),
      signal: new AbortController().signal,
    });
  }

  #networkConfiguration(node: string): string {
    const { ipam, ...others } = JSON.parse(networkConfiguration(nodeRoot(this.#run, node)));
    const both = { assign_ipv4: 'true', assign_ipv6: 'true' };
    return JSON.stringify({ ...others, ipam: { ...ipam, ...(this.#shape.families.includes(6) && both) } });
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
    await Promise.all([...this.#birds.values()].flat().map((bird) => bird.kill()));
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
    const { routing, families } = this.#shape;
    for (const { name, address, tunnel, tunnelMac } of upstreamNodes) {
      await registerNode(store, name, address[4]);
      const annotations = {
        [nodeAnnotations.ipv4Address]: `${address[4]}/24`,
        ...(families.includes(6) && { [nodeAnnotations.ipv6Address]: `${address[6]}/64` }),
        ...(routing === 'vxlan' && {
          [nodeAnnotations.ipv4VxlanTunnelAddress]: tunnel[4],
          [nodeAnnotations.vxlanTunnelMac]: tunnelMac[4],
          ...(families.includes(6) && {
            [nodeAnnotations.ipv6VxlanTunnelAddress]: tunnel[6],
            [nodeAnnotations.vxlanTunnelMacV6]: tunnelMac[6],
          }),
        }),
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
    const addresses = upstreamNodes.flatMap((node) => addressObjects(node, this.#shape));
    for (const object of [...clusterObjects(this.#shape), ...addresses]) {
      await store.create(legacyKind(object.kind), object);
    }
    await store.create(kubernetesNetworkPolicies, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: 'test', name: 'deny-all' },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    });
  }

  /** The node's own addresses; and the tunnels with the ways to the other node's blocks, where BIRD does not make these. */
  async #wireNode(node: UpstreamNode): Promise<void> {
    const { name, address, tunnel } = node;
    const { routing, families } = this.#shape;
    if (families.includes(6)) this.#ip(name, `addr add ${address[6]}/64 dev eth0 nodad`);
    for (const setting of ['ipv4.ip_forward', 'ipv6.conf.all.forwarding']) {
      this.onNode(name, ['sysctl', '-qw', `net.${setting}=1`]);
    }
    if (routing === 'vxlan') for (const family of families) this.#wireTunnel(node, family);
    const { namespacePath } = this.#underlay.node(name);
    const own = routing === 'vxlan' ? tunnel[4] : address[4];
    await this.prober.ask('addNode', { name, namespacePath, address: own });
  }

  #wireTunnel(node: UpstreamNode, family: Family): void {
    const { name, address, block, tunnel, tunnelMac } = node;
    const other = otherNode(node);
    const device = tunnelDevices[family];
    const parent = `id 4096 dstport 4789 local ${address[family]} dev eth0 nolearning`;
    this.#ip(
      name,
      `link add ${device} address ${tunnelMac[family]} mtu ${family === 4 ? 1450 : 1430} type vxlan ${parent}`,
      `link set ${device} up`,
      `addr add ${tunnel[family]}/${prefixLengths[family]} dev ${device} ${family === 6 ? 'nodad' : ''}`,
      `neigh add ${other.tunnel[family]} lladdr ${other.tunnelMac[family]} dev ${device} nud permanent`,
      `route add ${other.block[family]} via ${other.tunnel[family]} dev ${device} onlink proto 80`,
      // Calico's manifest has BIRD run beside tunnels, and then either writes it first.
      `route add blackhole ${block[family]} proto ${name === 'node-1' ? 80 : 'bird'}`,
    );
    const entry = [other.tunnelMac[family], 'dev', device, 'dst', other.address[family]];
    this.onNode(name, ['bridge', 'fdb', 'add', ...entry]);
  }

  async #wirePod(of: UpstreamPod): Promise<void> {
    const { namespace, name, node, containerId } = of;
    const { families } = this.#shape;
    const path = this.#underlay.makePodNamespace(`${namespace}-${name}`);
    const inside = path.split('/').at(-1) ?? '';
    const link = hostInterface(of);
    // Felix' deviceRouteProtocol: the default on one node, as some set it on the other.
    const protocol = node === 'node-1' ? 'boot' : '80';
    const ips = families.map((family) => ({
      family,
      ip: of.ip[family],
      cidr: `${of.ip[family]}/${prefixLengths[family]}`,
    }));
    this.#ip(
      node,
      `link add ${link} address ee:ee:ee:ee:ee:ee mtu 1430 type veth peer name eth0 mtu 1430 netns ${inside}`,
      ...(families.includes(6) ? [] : [`link set ${link} addrgenmode none`]),
      `link set ${link} up`,
      ...ips.map(
        ({ family, cidr }) =>
          `route add ${cidr} dev ${link} ${family === 4 ? 'scope link' : 'metric 1024'} proto ${protocol}`,
      ),
    );
    const settings = [
      'ipv4/conf/LINK/proxy_arp',
      'ipv4/conf/LINK/rp_filter',
      'ipv4/conf/LINK/route_localnet',
    ];
    if (families.includes(6)) settings.push('ipv6/conf/LINK/proxy_ndp');
    for (const setting of settings) {
      this.onNode(node, ['sysctl', '-qw', `net/${setting.replace('LINK', link)}=1`]);
    }
    const gateways = { 4: '169.254.1.1', 6: 'fe80::ecee:eeff:feee:eeee' };
    const lines = [
      'link set eth0 up',
      ...ips.flatMap(({ family, cidr }) => [
        `addr add ${cidr} dev eth0 ${family === 6 ? 'nodad' : ''}`,
        `route add ${gateways[family]} dev eth0`,
        `route add default via ${gateways[family]} dev eth0`,
      ]),
    ];
    execFileSync('ip', ['-n', inside, '-batch', '-'], { input: `${lines.join('\n')}\n` });
    await this.datastore.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        namespace,
        name,
        labels: { app: name },
        annotations: {
          'cni.projectcalico.org/podIP': ips[0]?.cidr ?? '',
          'cni.projectcalico.org/podIPs': ips.map(({ cidr }) => cidr).join(','),
          'cni.projectcalico.org/containerID': containerId,
        },
      },
      spec: { nodeName: node, containers: [{ name: 'main', image: 'any' }] },
    } as Pod);
    await this.datastore.mergePatch(
      pods,
      { namespace, name },
      { status: { phase: 'Running', podIP: ips[0]?.ip ?? '', podIPs: ips.map(({ ip }) => ({ ip })) } },
      { subresource: 'status' },
    );
    const listen = [{ protocol: 'udp', port }] as const;
    for (const { family, ip } of ips) {
      const key = proberKey(of, family);
      await this.prober.ask('addPod', { key, node, namespacePath: path, ip, listen });
    }
  }

  /** Calico's rules beside kube-proxy's: who may talk to whom is decided by them until they are taken out. */
  #restoreRules(node: UpstreamNode): void {
    const { families, rules } = this.#shape;
    const backend = rules === 'iptables-legacy' ? 'legacy' : 'nft';
    for (const family of families) {
      const restore = [`${family === 4 ? 'iptables' : 'ip6tables'}-${backend}-restore`, '--noflush'];
      this.onNode(node.name, restore, serviceRules(family));
      if (rules === 'nftables') {
        this.onNode(node.name, ['nft', '-f', '-'], nftablesText(node, family, this.#shape));
        continue;
      }
      this.onNode(node.name, ['ipset', 'restore'], ipSetsText(node, family));
      this.onNode(node.name, restore, iptablesText(node, family, this.#shape));
    }
  }

  async #startBirds(): Promise<void> {
    for (const node of upstreamNodes) {
      const folder = nodeRoot(this.#run, node.name);
      mkdirSync(folder, { recursive: true });
      const { namespacePath } = this.#underlay.node(node.name);
      const environment = { [runVariable]: this.#run.id };
      const birds = this.#shape.families.map((family) =>
        UpstreamBird.start({ node, family, namespacePath, folder, environment }),
      );
      this.#birds.set(node.name, birds);
    }
    for (const node of upstreamNodes) {
      for (const family of this.#shape.families) {
        const way = otherNode(node).block[family];
        await this.#untilTrue(`${node.name} has a route to ${way}`, async () =>
          this.onNode(node.name, ['ip', `-${family}`, 'route', 'show', way]).includes('via'),
        );
      }
    }
  }

  /** For what tells nobody when it comes about. */
  async #untilTrue(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    while (!(await isSo().catch(() => false))) {
      if (performance.now() > deadline) throw new Error(`Still waiting until ${what}`);
      await delay(50);
    }
  }

  #ip(node: string, ...commands: string[]): void {
    const name = this.#underlay.node(node).namespacePath.split('/').at(-1) ?? '';
    execFileSync('ip', ['-n', name, '-batch', '-'], { input: `${commands.join('\n')}\n` });
  }
}
