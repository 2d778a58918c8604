// A whole cluster, put together: underlay, API server, agents, scheduler, kubelets, prober. Each part is its own file; here is
// the order in which they begin and end, and the questions that can be asked of the whole.
import { bgpPaths } from '../bgp/index.ts';
import { shimPath } from '../cni/index.ts';
import type { Datastore, Follower } from '../datastore/index.ts';
import { familyOf } from '../net/index.ts';
import {
  crds,
  customResourceDefinitions,
  keyOf,
  namespaces,
  nodeAnnotations,
  nodes,
  pods,
} from '../resources/index.ts';
import { unlessAborted } from './abort.ts';
import { Agent } from './agents.ts';
import { LabApi, nodeKubeconfig } from './api.ts';
import { routerPlace, startLabRouter } from './bgp/lab-router.ts';
import { createBgpObjects } from './bgp/objects.ts';
import { waitForSessions } from './bgp/sessions.ts';
import type { BgpShape, ClusterShape } from './bgp/shape.ts';
import type { Patience } from './condition.ts';
import type { MatrixReport, StatusReport } from './control.ts';
import { startKubelet } from './kubelet/kubelet.ts';
import { networkConfiguration } from './kubelet/netconf.ts';
import { registerNode } from './kubelet/node-status.ts';
import { type Channel, Matrix, type ProbedPod, portOn } from './matrix/matrix.ts';
import { Prober } from './prober/client.ts';
import { families, probedAs } from './prober/families.ts';
import { ReadyNodes } from './ready-nodes.ts';
import type { ExternalRouter } from './router/index.ts';
import { removeRun } from './run/cleanup.ts';
import { runVariable } from './run/processes.ts';
import { createRun, namespacePrefix, nodeRoot, type Run } from './run/run.ts';
import { keyOfPod, probedPod, RunningPods } from './running-pods.ts';
import { startScheduler } from './scheduler.ts';
import type { Progress } from './terminal.ts';
import { observeTopology } from './topology/observe.ts';
import type { Topology } from './topology/topology.ts';
import { Underlay } from './underlay.ts';
import { sampleNamespaces, samplePods } from './workload.ts';

export interface ClusterOptions {
  readonly id: string;
  readonly shape: ClusterShape;
  /** Whether nodes and pods have addresses of both families; of IPv4 alone when absent. */
  readonly isDualStack?: boolean;
  readonly progress: Progress;
  /** Aborts whatever is being waited for. */
  readonly signal: AbortSignal;
  /** Told what a person may want to know; nothing of it ends the cluster. */
  readonly report: (message: string) => void;
  readonly agentDied: (message: string) => void;
}

const readyDeadlineMs = 60_000;

export class Cluster {
  readonly run: Run;
  readonly #options: ClusterOptions;
  readonly #stopping = new AbortController();
  readonly #running = new RunningPods();
  readonly #agents = new Map<string, Agent>();
  readonly #followers: Follower[] = [];
  #underlay: Underlay | undefined;
  #api: LabApi | undefined;
  #prober: Prober | undefined;
  #router: ExternalRouter | undefined;
  #ready: ReadyNodes | undefined;

  private constructor(run: Run, options: ClusterOptions) {
    this.run = run;
    this.#options = options;
  }

  /** Resolves with every node ready. What was begun is removed again when that fails. @throws RunExistsError, Error */
  static async start(options: ClusterOptions): Promise<Cluster> {
    // Before anything exists that would have to be removed: the first time this takes a second.
    const plugin = shimPath();
    const cluster = new Cluster(createRun(options.id), options);
    try {
      await cluster.#begin(plugin);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get datastore(): Datastore {
    return started(this.#api).datastore;
  }

  get prober(): Prober {
    return started(this.#prober);
  }

  /** Stops the API server, does something, and starts it again with its store. */
  restartApi(meanwhile: () => Promise<void>): Promise<void> {
    return started(this.#api).restart(meanwhile);
  }

  /** Path of the kubeconfig for people. */
  get kubeconfig(): string {
    return started(this.#api).kubeconfig;
  }

  /** Every pod that runs and has an address of its own, grouped by namespace. */
  pods(): ProbedPod[] {
    return this.#running.list();
  }

  /** Creates the sample workload and resolves when all of it runs. */
  async startWorkload(): Promise<void> {
    const { progress } = this.#options;
    const wanted = samplePods();
    progress.begin(`${wanted.length} pods in ${sampleNamespaces().length} namespaces`);
    for (const namespace of sampleNamespaces()) await this.datastore.create(namespaces, namespace);
    // One after the other, so that the scheduler meets them in this order and spreads each namespace over the nodes.
    for (const pod of wanted) await this.datastore.create(pods, pod);
    await this.#running.waitFor(wanted.map(keyOf), this.#patience);
    progress.end(
      `each made by the CNI plugin, ${spread(
        this.pods(),
        started(this.#underlay).nodes.map(({ name }) => name),
      )}`,
    );
  }

  /** Probes every pod from every pod. */
  async probe(channels: readonly Channel[]): Promise<Matrix> {
    const list = this.pods();
    const matrix = new Matrix(list, channels);
    for (const [position, channel] of channels.entries()) {
      const asked = list.map((pod) => ({ key: keyOfPod(pod), port: portOn(pod, channel) ?? null }));
      const { open } = await this.#unlessStopped(
        this.prober.ask('probe', { protocol: channel.protocol, pods: asked }),
      );
      for (const [from, to] of open) matrix.setOpen(position, from, to);
    }
    return matrix;
  }

  /** `probe` as the control socket carries it. */
  async report(channels: readonly Channel[]): Promise<MatrixReport> {
    const matrix = await this.probe(channels);
    const open: [number, number, number][] = [];
    for (const c of channels.keys()) {
      for (const from of matrix.pods.keys()) {
        for (const to of matrix.pods.keys()) if (matrix.isOpen(c, from, to)) open.push([c, from, to]);
      }
    }
    return { pods: matrix.pods, channels, open };
  }

  status(): StatusReport {
    const running = this.pods();
    return {
      kubeconfig: this.kubeconfig,
      server: started(this.#api).server,
      pods: running,
      nodes: started(this.#underlay).nodes.map(({ name, address }) => {
        const agent = this.#agents.get(name);
        return {
          name,
          address,
          ready: this.#ready?.has(name) ?? false,
          ...(agent?.pid !== undefined && { agentPid: agent.pid }),
          agentRestarts: agent?.restarts ?? 0,
          pods: running.filter((pod) => pod.node === name).length,
        };
      }),
    };
  }

  /** Ends every part and removes whatever the run made; nothing of it is left when this resolves. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The cluster is being stopped'));
    for (const follower of this.#followers) follower.stop();
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
    await this.#router?.stop();
    await this.#prober?.close();
    await this.#api?.close();
    this.#underlay?.close();
    await removeRun(this.run);
  }

  async #begin(plugin: string): Promise<void> {
    const { progress, report, shape } = this.#options;
    const count = shape.nodes;

    progress.begin('underlay and API server');
    const underlay = Underlay.make(namespacePrefix(this.run.id), count, { isDualStack: this.#isDualStack });
    this.#underlay = underlay;
    const api = await LabApi.start(this.run, underlay, report);
    this.#api = api;
    const definitions = crds();
    for (const definition of definitions) await api.datastore.create(customResourceDefinitions, definition);
    progress.end(`${api.server}, with Calico's ${definitions.length} resource definitions`);

    progress.begin(`${count} ${count === 1 ? 'node' : 'nodes'}`);
    const prober = new Prober(this.run.id);
    this.#prober = prober;
    const ready = new ReadyNodes(api.datastore, report);
    this.#ready = ready;
    this.#followers.push(ready);
    const names = underlay.nodes.map(({ name }) => name);
    for (const { name, address } of underlay.nodes) await registerNode(api.datastore, name, address);
    if (shape.bgp) await this.#prepareBgp(shape.bgp, underlay, api.datastore);
    for (const name of names) this.#agents.set(name, this.#startAgent(name, underlay));
    await ready.waitFor(names, this.#patience);
    await this.#unlessStopped(this.#introduceNodes(underlay, api.datastore, prober));
    if (shape.bgp) await waitForSessions(this.birdSockets(), this.#patience);
    progress.end(`calico-node is ready on each, ${shape.bgp ? 'BGP' : 'VXLAN'} between them`);

    const { datastore } = api;
    this.#followers.push(
      startScheduler({ datastore, nodes: names, report, bind: (pod, node) => api.bindPod(pod, node) }),
    );
    for (const node of names) this.#followers.push(this.#startKubelet(node, plugin, underlay, api, prober));
  }

  /** Of each node's BIRD, by the node's name. */
  birdSockets(): Map<string, string> {
    const { nodes: all } = started(this.#underlay);
    return new Map(all.map(({ name }) => [name, bgpPaths(nodeRoot(this.run, name)).socket]));
  }

  /** @throws Error when the cluster does not speak BGP */
  async topology(): Promise<Topology> {
    const { bgp } = this.#options.shape;
    if (!bgp) throw new Error('This cluster has an overlay; "calico-lab up --bgp" makes one that speaks BGP');
    const found = await this.datastore.list(nodes);
    const outside = new Map(bgp.router ? [[routerPlace.address, `tor (${bgp.router})`]] : []);
    return observeTopology(found, this.birdSockets(), outside);
  }

  /** Everything that the nodes' agents are to find: who reflects routes, and the router outside. */
  async #prepareBgp(bgp: BgpShape, underlay: Underlay, datastore: Datastore): Promise<void> {
    const reflectors = underlay.nodes.slice(0, bgp.reflectors).map(({ name }) => name);
    if (bgp.router) this.#router = await startLabRouter(bgp.router, this.run, underlay);
    await createBgpObjects(datastore, { reflectors, ...(bgp.router && { router: routerPlace }) });
  }

  #startAgent(node: string, underlay: Underlay): Agent {
    return new Agent({
      node,
      root: nodeRoot(this.run, node),
      kubeconfig: nodeKubeconfig(this.run, node),
      environment: {
        [runVariable]: this.run.id,
        CALICO_IPV4POOL_CIDR: '192.168.0.0/16',
        CALICO_IPV4POOL_VXLAN: this.#options.shape.bgp ? 'Never' : 'Always',
        CALICO_NETWORKING_BACKEND: this.#options.shape.bgp ? 'bird' : 'vxlan',
        ...(this.#isDualStack && {
          IP6: 'autodetect',
          CALICO_IPV6POOL_CIDR: 'fd92:168::/48',
          CALICO_IPV6POOL_VXLAN: this.#options.shape.bgp ? 'Never' : 'Always',
        }),
      },
      spawnOnNode: underlay.onNode(node),
      died: this.#options.agentDied,
    });
  }

  /** Tells the prober where each node is heard by the way of pod traffic: at its tunnel address. */
  async #introduceNodes(underlay: Underlay, datastore: Datastore, prober: Prober): Promise<void> {
    for (const { name, address, address6, namespacePath } of underlay.nodes) {
      const { annotations = {} } = (await datastore.get(nodes, { name })).metadata;
      for (const [own, tunnel] of [
        [address, annotations[nodeAnnotations.ipv4VxlanTunnelAddress]],
        [address6, annotations[nodeAnnotations.ipv6VxlanTunnelAddress]],
      ]) {
        const heardAt = tunnel?.split('/')[0] ?? own;
        if (heardAt === undefined) continue;
        await prober.ask('addNode', {
          name: probedAs(name, familyOf(heardAt)),
          namespacePath,
          address: heardAt,
        });
      }
    }
  }

  #startKubelet(node: string, plugin: string, underlay: Underlay, api: LabApi, prober: Prober): Follower {
    return startKubelet({
      node,
      hostIP: underlay.node(node).address,
      datastore: api.datastore,
      host: {
        plugin,
        configuration: networkConfiguration(nodeRoot(this.run, node), { isDualStack: this.#isDualStack }),
        environment: { [runVariable]: this.run.id },
        spawnOnNode: underlay.onNode(node),
        makeNamespace: (name) => underlay.makePodNamespace(name),
        removeNamespace: (name) => underlay.removePodNamespace(name),
        signal: this.#stopping.signal,
        report: this.#options.report,
      },
      started: async (pod, ips, namespacePath) => {
        for (const ip of ips) {
          const { ports } = probedPod(pod, ip);
          const family = familyOf(ip);
          const names = { key: probedAs(keyOf(pod), family), node: probedAs(node, family) };
          await prober.ask('addPod', { ...names, namespacePath, ip, listen: ports });
        }
        this.#running.add(probedPod(pod, ips[0] ?? ''));
      },
      stopping: async (pod) => {
        this.#running.remove(pod);
        for (const family of families) await prober.ask('removePod', { key: probedAs(keyOf(pod), family) });
      },
      forget: (pod) => api.removePod(pod),
    });
  }

  get #isDualStack(): boolean {
    return this.#options.isDualStack ?? false;
  }

  get #patience(): Patience {
    return { deadlineMs: readyDeadlineMs, signal: this.#options.signal };
  }

  #unlessStopped<T>(promise: Promise<T>): Promise<T> {
    return unlessAborted(promise, this.#options.signal);
  }
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('The cluster has not come up');
  return part;
}

/** "4 on each node", "1 to 2 on each node". */
function spread(list: readonly ProbedPod[], nodes: readonly string[]): string {
  const counts = nodes.map((name) => list.filter(({ node }) => node === name).length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return `${least === most ? least : `${least} to ${most}`} on each node`;
}
