// A whole Kubernetes on this machine, of its own programs: etcd, API server, controllers and scheduler in the underlay's namespace,
// and nodes on the underlay. Nothing of Calico is in it until a test installs it.
import { join } from 'node:path';
import { inNamespace } from '../../src/kernel/index.ts';
import { Underlay } from '../../src/lab/underlay.ts';
import { ApiServer, serviceRange } from './api-server.ts';
import { Daemon } from './daemon.ts';
import { kubernetesPrograms } from './kubernetes-programs.ts';
import { ClusterNode } from './node.ts';
import type { ContainerdSetup, ProxyMode } from './node-configuration.ts';
import { createRunFolder, type RunFolder, removeRunFolder } from './run-folder.ts';

export interface ClusterOptions {
  readonly nodes: number;
  readonly proxyMode?: ProxyMode;
  readonly containerd?: ContainerdSetup;
  /** All pods are in it, and every node gets a part of it for its own; without it, nodes have none. */
  readonly podRange?: string;
  /** The same of IPv6; nodes get no part of it. */
  readonly podRange6?: string;
  /** Nodes and Services have addresses of both families; pods do when Calico has pools of both. */
  readonly isDualStack?: boolean;
  /** OCI archives that every node shall know. */
  readonly images: readonly string[];
}

export class Cluster {
  readonly run: RunFolder;
  readonly api: ApiServer;
  readonly nodes: readonly ClusterNode[];
  readonly #underlay: Underlay;
  readonly #controllers: readonly Daemon[];

  private constructor(
    run: RunFolder,
    api: ApiServer,
    nodes: readonly ClusterNode[],
    underlay: Underlay,
    controllers: readonly Daemon[],
  ) {
    this.run = run;
    this.api = api;
    this.nodes = nodes;
    this.#underlay = underlay;
    this.#controllers = controllers;
  }

  /** Resolves when kubelets have been started; whatever was made is gone again when this fails. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const run = await createRunFolder();
    try {
      return await Cluster.#startIn(run, options);
    } catch (error) {
      await removeRunFolder(run.id);
      throw error;
    }
  }

  static async #startIn(run: RunFolder, options: ClusterOptions): Promise<Cluster> {
    const { isDualStack = false } = options;
    const underlay = Underlay.make(run.id, options.nodes, { isDualStack });
    const onUnderlay = <T>(start: () => T) => inNamespace(underlay.namespace, start);
    const api = await ApiServer.start({
      folder: join(run.path, 'control-plane'),
      address: underlay.gateway,
      isDualStack,
      environment: run.mark,
      spawnThere: onUnderlay,
    });
    const controllers = startControllers(run, api, onUnderlay, options.podRange);
    const nodes = underlay.nodes.map(
      ({ name, address, address6 }) =>
        new ClusterNode({
          name,
          address,
          address6,
          run,
          api,
          proxyMode: options.proxyMode ?? 'iptables',
          podRanges: [options.podRange, options.podRange6].filter((range) => range !== undefined),
          containerd: options.containerd ?? 'upstream',
          images: options.images,
          spawnThere: (start) => underlay.onNode(name)(start),
        }),
    );
    await Promise.all(nodes.map((node) => node.boot()));
    return new Cluster(run, api, nodes, underlay, controllers);
  }

  /** @throws RangeError when there is no such node */
  node(name: string): ClusterNode {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (!node) throw new RangeError(`There is no node "${name}"`);
    return node;
  }

  /** Runs kubectl as one who may do everything; resolves with what it printed. @throws CommandError */
  kubectl(args: readonly string[], input?: string): Promise<string> {
    return this.api.kubectl(args, input);
  }

  /** Everything of the node but its disk is gone and comes back: processes, mounts, network. */
  async reboot(name: string, whileOff?: () => Promise<void>): Promise<void> {
    const node = this.node(name);
    await node.powerOff();
    await whileOff?.();
    this.#underlay.replaceNode(name);
    await node.boot();
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.powerOff();
    for (const controller of this.#controllers) await controller.stop();
    await this.api.stop();
    this.#underlay.close();
    await removeRunFolder(this.run.id);
  }
}

function startControllers(
  run: RunFolder,
  api: ApiServer,
  spawnThere: <T>(start: () => T) => T,
  podRange: string | undefined,
): Daemon[] {
  const kubeconfig = (name: string) => api.kubeconfigFor(name, `system:${name}`);
  const start = (name: 'kube-controller-manager' | 'kube-scheduler', flags: readonly string[]) =>
    new Daemon({
      name,
      command: [kubernetesPrograms(), name, '--leader-elect=false', '--bind-address=127.0.0.1', ...flags],
      logPath: join(run.path, 'control-plane', `${name}.log`),
      environment: run.mark,
      spawnThere,
    });
  const [managers, scheduler] = [kubeconfig('kube-controller-manager'), kubeconfig('kube-scheduler')];
  return [
    start('kube-controller-manager', [
      `--kubeconfig=${managers}`,
      `--authentication-kubeconfig=${managers}`,
      `--authorization-kubeconfig=${managers}`,
      `--root-ca-file=${api.authority.certificate}`,
      `--service-account-private-key-file=${api.signingKey}`,
      `--service-cluster-ip-range=${serviceRange}`,
      ...(podRange ? ['--allocate-node-cidrs=true', `--cluster-cidr=${podRange}`] : []),
      '--use-service-account-credentials=true',
      '--kube-api-qps=100',
      '--kube-api-burst=200',
    ]),
    start('kube-scheduler', [
      `--kubeconfig=${scheduler}`,
      `--authentication-kubeconfig=${scheduler}`,
      `--authorization-kubeconfig=${scheduler}`,
      '--kube-api-qps=100',
      '--kube-api-burst=200',
    ]),
  ];
}
