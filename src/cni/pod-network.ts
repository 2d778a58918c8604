// What ADD and DEL do on a node: addresses from IPAM, a link, a policy endpoint, in the order that leaves no moment in which
// a packet could pass unjudged, and that leaves nothing behind when a step fails.
import { interfaceNameOf } from '../calc/index.ts';
import type { PodLinks } from '../dataplane/index.ts';
import { type Datastore, NotFoundError } from '../datastore/index.ts';
import type { IpamClient } from '../ipam/index.ts';
import { formatAddress } from '../net/index.ts';
import { podAnnotations, type WorkloadEndpoint, workloadEndpointOf } from '../policy/index.ts';
import { KeyedLock, type Logger } from '../process/index.ts';
import { type Namespace, type ObjectKey, type Pod, pods } from '../resources/index.ts';
import { CniError, cniErrorCodes } from './errors.ts';
import type { CniRequest } from './request.ts';
import type { AttachedPod } from './result.ts';
import type { PodNetwork } from './server.ts';

/** What the network needs of the policy agent. */
export interface PolicyAgent {
  /** Whether everything that existed when the agent started is enforced. */
  readonly isInSync: boolean;
  /** The pod with that UID (any, when undefined) as the agent knows it; undefined when it does not. */
  localPod(key: ObjectKey, uid: string | undefined): Pod | undefined;
  /** Undefined when the agent does not know it. */
  namespace(name: string): Namespace | undefined;
  /** Resolves when the workload's policy is in the kernel. */
  attach(workload: WorkloadEndpoint): Promise<void>;
  /** Resolves when nothing in the kernel speaks of that container any more. */
  detach(workload: { namespace: string; pod: string }, containerId: string): Promise<void>;
}

export interface CalicoNetworkOptions {
  /** Name of the node. */
  readonly node: string;
  readonly datastore: Datastore;
  readonly ipam: IpamClient;
  readonly links: PodLinks;
  readonly agent: PolicyAgent;
  /** Bytes of a pod's packet, where the configuration does not say. */
  readonly mtu: number;
  readonly log: Logger;
}

export class CalicoNetwork implements PodNetwork {
  readonly #options: CalicoNetworkOptions;
  /** A pod's requests come one after another, whatever the runtime does. */
  readonly #lock = new KeyedLock();
  /** Which container's each link is, by its name; of links from before our time only the pod's annotation tells. */
  readonly #containers = new Map<string, string>();

  constructor(options: CalicoNetworkOptions) {
    this.#options = options;
  }

  add(request: CniRequest): Promise<AttachedPod> {
    return this.#inTurn(request, () => this.#add(request));
  }

  delete(request: CniRequest): Promise<void> {
    return this.#inTurn(request, () => this.#delete(request));
  }

  #inTurn<T>({ pod }: CniRequest, action: () => Promise<T>): Promise<T> {
    return this.#lock.run(`${pod.namespace}/${pod.name}`, action);
  }

  async #add(request: CniRequest): Promise<AttachedPod> {
    const { agent, links, mtu } = this.#options;
    const { configuration, containerId, interfaceName: podInterfaceName, namespacePath } = request;
    if (!agent.isInSync) {
      throw new CniError(cniErrorCodes.tryAgainLater, 'calico-node has not read all policies yet');
    }
    const pod = await this.#pod(request);
    const endpoint = workloadEndpointOf(pod);
    if (!endpoint) {
      throw new CniError(
        cniErrorCodes.failed,
        `Pod "${request.pod.namespace}/${request.pod.name}" is on the host's network or has ended, and gets no link`,
      );
    }
    const interfaceName = interfaceNameOf(request.pod.namespace, request.pod.name);
    try {
      const addresses = await this.#assign(request);
      this.#containers.set(interfaceName, containerId);
      const link = await links.attach({
        interfaceName,
        podInterfaceName,
        podNamespacePath: namespacePath,
        addresses,
        mtu: configuration.mtu ?? mtu,
        allowIpForwarding: configuration.allowIpForwarding,
      });
      // The endpoint is in the kernel before its link is up; its peers may hear of its address in the meantime.
      await Promise.all([
        agent.attach({ ...endpoint, node: this.#options.node, addresses, containerId }),
        this.#annotate(request.pod, pod.metadata.uid, {
          [podAnnotations.podIp]: nets(addresses)[0] ?? '',
          [podAnnotations.podIps]: nets(addresses).join(','),
          [podAnnotations.containerId]: containerId,
        }),
      ]);
      links.open(link);
      return {
        hostInterface: { name: interfaceName, mac: link.hostMac },
        podInterface: { name: podInterfaceName, mac: link.podMac, namespacePath },
        addresses,
      };
    } catch (error) {
      await this.#takeDown(request).catch((cause) => {
        // The runtime calls DEL after a failed ADD; what is left now is taken down then.
        this.#options.log.warn({ error: cause, pod: request.pod }, 'Cannot undo a failed ADD; DEL will');
      });
      throw error;
    }
  }

  async #delete(request: CniRequest): Promise<void> {
    const { agent, datastore } = this.#options;
    const { containerId, pod } = request;
    const known = agent.localPod(pod, undefined);
    await this.#takeDown(request);
    // The address may be another's before the pod's object is gone: nobody shall believe the old one still has it.
    if (known?.metadata.annotations?.[podAnnotations.containerId] !== containerId) return;
    try {
      await datastore.mergePatch(pods, pod, {
        metadata: {
          uid: known.metadata.uid,
          annotations: { [podAnnotations.podIp]: '', [podAnnotations.podIps]: '' },
        },
      });
    } catch (error) {
      // Most pods are gone by now, or have a successor of the same name; then there is nothing to correct.
      this.#options.log.debug({ error, pod }, 'Cannot take the address off the pod');
    }
  }

  /** Traffic first, then the link, then the address: it must not be given away while anything still answers to it. */
  async #takeDown(request: CniRequest): Promise<void> {
    const { agent, links, ipam } = this.#options;
    const { containerId, pod } = request;
    const interfaceName = interfaceNameOf(pod.namespace, pod.name);
    const owner =
      this.#containers.get(interfaceName) ??
      agent.localPod(pod, undefined)?.metadata.annotations?.[podAnnotations.containerId];
    await agent.detach({ namespace: pod.namespace, pod: pod.name }, containerId);
    // The link's name is the pod's, not the container's: a late DEL must not take the next container's link.
    if (owner === undefined || owner === containerId) {
      await links.detach(interfaceName);
      this.#containers.delete(interfaceName);
    }
    await ipam.releaseByHandle(handleOf(request));
  }

  /** The very pod that the runtime means: one of the same name that came or went before is another. */
  async #pod({ pod: { namespace, name, uid } }: CniRequest): Promise<Pod> {
    const known = uid === undefined ? undefined : this.#options.agent.localPod({ namespace, name }, uid);
    if (known) return known;
    try {
      const pod = await this.#options.datastore.get(pods, { namespace, name });
      if (uid === undefined || pod.metadata.uid === uid) return pod;
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
    throw new CniError(
      cniErrorCodes.failed,
      `There is no pod "${namespace}/${name}" with UID "${uid ?? ''}"`,
    );
  }

  async #assign(request: CniRequest): Promise<string[]> {
    const { ipam, node, agent } = this.#options;
    const { configuration, pod } = request;
    const addresses = await ipam.autoAssign({
      node,
      count: { 4: configuration.assignIPv4 ? 1 : 0, 6: configuration.assignIPv6 ? 1 : 0 },
      handleId: handleOf(request),
      attributes: { namespace: pod.namespace, pod: pod.name, node, timestamp: new Date().toISOString() },
      use: 'Workload',
      pools: {
        ...(configuration.ipv4Pools.length > 0 && { 4: configuration.ipv4Pools }),
        ...(configuration.ipv6Pools.length > 0 && { 6: configuration.ipv6Pools }),
      },
      namespaceLabels: new Map(Object.entries(agent.namespace(pod.namespace)?.metadata.labels ?? {})),
    });
    return addresses.map(formatAddress);
  }

  async #annotate(
    key: ObjectKey,
    uid: string | undefined,
    annotations: Record<string, string>,
  ): Promise<void> {
    await this.#options.datastore.mergePatch(pods, key, { metadata: { ...(uid && { uid }), annotations } });
  }
}

/** "k8s-pod-network.<container>", as Calico names the handles of pods. */
function handleOf({ configuration, containerId }: CniRequest): string {
  return `${configuration.name}.${containerId}`;
}

function nets(addresses: readonly string[]): string[] {
  return addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`);
}
