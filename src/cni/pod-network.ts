// What the plugin `calico` does on a node: addresses, a link, a policy endpoint, in the order that leaves no moment in which a
// packet could pass unjudged, and that leaves nothing behind when a step fails.
import { interfaceNameOf } from '../calc/index.ts';
import type { PodLinks } from '../dataplane/index.ts';
import { type Datastore, NotFoundError } from '../datastore/index.ts';
import type { IpamClient } from '../ipam/index.ts';
import { podAnnotations, type WorkloadEndpoint, workloadEndpointOf } from '../policy/index.ts';
import { KeyedLock, type Logger } from '../process/index.ts';
import { type Namespace, namespaces, nodes, type ObjectKey, type Pod, pods } from '../resources/index.ts';
import type { AddressPlugin } from './addresses/address-plugin.ts';
import { CalicoIpam } from './addresses/calico-ipam.ts';
import { DelegatedIpam } from './addresses/delegated-ipam.ts';
import { type PodWishes, readWishes } from './annotations.ts';
import { type OwnedLink, ownerNote, readOwnerNote } from './attachment.ts';
import { checkAttachment } from './check.ts';
import { CniError, cniErrorCodes } from './errors.ts';
import { staleContainers, staleLinks } from './garbage.ts';
import { passDatastore, passGates } from './gates.ts';
import type { Plugin } from './plugin.ts';
import type { AttachmentRequest, GarbageRequest, PodIdentity, StatusRequest } from './request.ts';
import type { Attached } from './result.ts';
import { within } from './within.ts';

/** What the network needs of the policy agent. */
export interface PolicyAgent {
  /** Whether everything that existed when the agent started is enforced. */
  readonly isInSync: boolean;
  /** Whether what was last wanted in the kernel is not known to be there. */
  readonly isInDoubt: boolean;
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
  /** Whether the kernel judges a link's packets by its pod's policy. */
  readonly isGuarded: (interfaceName: string) => boolean;
  /** Bytes of a pod's packet, where the configuration does not say. */
  readonly mtu: number;
  /** Where other IPAM plugins are, besides where the runtime says. */
  readonly pluginFolders: readonly string[];
  readonly log: Logger;
}

export class CalicoNetwork implements Plugin {
  readonly #options: CalicoNetworkOptions;
  readonly #calicoIpam: AddressPlugin;
  readonly #delegatedIpam: AddressPlugin;
  /** A pod's requests come one after another, whatever the runtime does. */
  readonly #lock = new KeyedLock();
  /** Containers that are being set up, which no list of the runtime's can have yet. */
  readonly #adding = new Set<string>();

  constructor(options: CalicoNetworkOptions) {
    const { ipam, node, datastore, pluginFolders } = options;
    this.#options = options;
    this.#calicoIpam = new CalicoIpam(ipam, node);
    this.#delegatedIpam = new DelegatedIpam({
      folders: pluginFolders,
      podCidrs: async () => {
        const { spec } = await datastore.get(nodes, { name: node });
        return spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : []);
      },
    });
  }

  async add(request: AttachmentRequest): Promise<Attached> {
    const pod = podOf(request);
    this.#adding.add(request.containerId);
    try {
      return await this.#lock.run(keyOf(pod), () => this.#add(request, pod));
    } finally {
      this.#adding.delete(request.containerId);
    }
  }

  delete(request: AttachmentRequest): Promise<void> {
    return this.#lock.run(lockKeyOf(request), () => this.#delete(request));
  }

  async check(request: AttachmentRequest): Promise<void> {
    const interfaceName = interfaceOf(podOf(request));
    await this.#lock.run(lockKeyOf(request), () =>
      checkAttachment({ ...this.#options, request, interfaceName }),
    );
  }

  async collectGarbage(request: GarbageRequest): Promise<void> {
    const { datastore, links, node } = this.#options;
    const { configuration, environment } = request;
    const stale = new Map<string, Pick<OwnedLink, 'containerId' | 'interfaceName' | 'pod'>>();
    if (configuration.ipam.type === 'calico-ipam') {
      for (const containerId of await staleContainers(datastore, node, request)) {
        stale.set(containerId, { containerId, interfaceName: '', pod: undefined });
      }
    }
    const owned = [...links.owners().values()].flatMap((note) => readOwnerNote(note) ?? []);
    for (const link of staleLinks(owned, request)) stale.set(link.containerId, link);
    const failures: Error[] = [];
    for (const { containerId, interfaceName, pod } of stale.values()) {
      if (this.#adding.has(containerId)) continue;
      await this.delete({
        command: 'DEL',
        configuration,
        containerId,
        interfaceName,
        namespacePath: '',
        pod: pod && { ...pod, uid: undefined },
        wantedAddress: undefined,
        environment: {
          ...environment,
          CNI_CONTAINERID: containerId,
          CNI_IFNAME: interfaceName,
          CNI_NETNS: '',
        },
      }).catch((error: Error) => failures.push(error));
    }
    if (failures.length > 0) {
      const cause = new AggregateError(failures, failures.map(({ message }) => message).join('; '));
      throw new CniError(
        cniErrorCodes.failed,
        `Cannot take down ${failures.length} of ${stale.size} attachments that nobody wants`,
        { cause },
      );
    }
  }

  async status(_request: StatusRequest): Promise<void> {
    const { agent, datastore } = this.#options;
    const { notAvailable, limitedConnectivity } = cniErrorCodes;
    if (!agent.isInSync) throw new CniError(notAvailable, 'calico-node has not read all policies yet');
    if (agent.isInDoubt) {
      throw new CniError(
        limitedConnectivity,
        'calico-node cannot bring the present policies into the kernel',
      );
    }
    await passDatastore(datastore).catch((cause: Error) => {
      throw new CniError(notAvailable, cause.message, { cause });
    });
  }

  async #add(request: AttachmentRequest, identity: PodIdentity): Promise<Attached> {
    const { agent, links, mtu: usualMtu, node, datastore } = this.#options;
    const { configuration, containerId, interfaceName: podInterfaceName, namespacePath } = request;
    if (!agent.isInSync) {
      throw new CniError(cniErrorCodes.tryAgainLater, 'calico-node has not read all policies yet');
    }
    await passGates(configuration, node, datastore);
    const pod = await this.#pod(identity);
    const endpoint = workloadEndpointOf(pod);
    if (!endpoint) {
      throw new CniError(
        cniErrorCodes.failed,
        `Pod "${keyOf(identity)}" is on the host's network or has ended, and gets no link`,
      );
    }
    const namespace = await this.#namespace(identity.namespace);
    const wishes = readWishes(pod, namespace, configuration);
    const interfaceName = interfaceOf(identity);
    const mtu = configuration.mtu ?? usualMtu;
    try {
      const addresses = await this.#assign(request, wishes, namespace);
      const link = await links.attach({
        interfaceName,
        podInterfaceName,
        podNamespacePath: namespacePath,
        addresses,
        mtu,
        owner: ownerNote({
          network: configuration.name,
          containerId,
          interfaceName: podInterfaceName,
          pod: identity,
        }),
        allowIpForwarding: configuration.allowIpForwarding,
        defaultRoutes: configuration.defaultRoutes,
        ...(wishes.mac && { podMac: wishes.mac }),
        ...(configuration.queues && { queues: configuration.queues }),
      });
      // The endpoint is in the kernel before its link is up; its peers may hear of its address in the meantime.
      const protectedNow = agent.attach({ ...endpoint, node, addresses, containerId });
      await Promise.all([
        within(configuration.policyTimeoutMs, protectedNow, `policy of pod "${keyOf(identity)}"`),
        this.#annotate(identity, pod.metadata.uid, {
          [podAnnotations.podIp]: nets(addresses)[0] ?? '',
          [podAnnotations.podIps]: nets(addresses).join(','),
          [podAnnotations.containerId]: containerId,
        }),
      ]);
      links.open(link);
      return {
        links: {
          host: { name: interfaceName, mac: link.hostMac },
          pod: { name: podInterfaceName, mac: link.podMac, namespacePath },
          mtu,
        },
        addresses,
      };
    } catch (error) {
      await this.#takeDown(request).catch((cause) => {
        // The runtime calls DEL after a failed ADD; what is left now is taken down then.
        this.#options.log.warn({ error: cause, pod: identity }, 'Cannot undo a failed ADD; DEL will');
      });
      throw error;
    }
  }

  async #delete(request: AttachmentRequest): Promise<void> {
    const { agent } = this.#options;
    const { containerId, pod } = request;
    const known = pod && agent.localPod(pod, undefined);
    await this.#takeDown(request);
    // The address may be another's before the pod's object is gone: nobody shall believe the old one still has it.
    if (!pod || known?.metadata.annotations?.[podAnnotations.containerId] !== containerId) return;
    try {
      await this.#annotate(pod, known.metadata.uid, {
        [podAnnotations.podIp]: '',
        [podAnnotations.podIps]: '',
      });
    } catch (error) {
      // Most pods are gone by now, or have a successor of the same name; then there is nothing to correct.
      this.#options.log.debug({ error, pod }, 'Cannot take the address off the pod');
    }
  }

  /** Traffic first, then the link, then the address: it must not be given away while anything still answers to it. */
  async #takeDown(request: AttachmentRequest): Promise<void> {
    const { agent, links } = this.#options;
    const { containerId, pod } = request;
    if (pod) await agent.detach({ namespace: pod.namespace, pod: pod.name }, containerId);
    for (const name of this.#linksOf(request)) await links.detach(name);
    await this.#plugin(request).release(request);
  }

  /** A link's name is its pod's, not its container's: a late DEL must not take the next container's link. */
  #linksOf({ pod, containerId, configuration }: AttachmentRequest): string[] {
    const { links, agent } = this.#options;
    const isOurs = (note: string) => {
      const owner = readOwnerNote(note);
      return owner?.network === configuration.name && owner.containerId === containerId;
    };
    if (!pod) return [...links.owners()].flatMap(([name, note]) => (isOurs(note) ? [name] : []));
    const name = interfaceOf(pod);
    const note = links.owner(name);
    if (note !== undefined) return isOurs(note) ? [name] : [];
    // Made before links had notes, or by an agent that died while it made it.
    const recorded = agent.localPod(pod, undefined)?.metadata.annotations?.[podAnnotations.containerId];
    return recorded === undefined || recorded === containerId ? [name] : [];
  }

  /** The very pod that the runtime means: one of the same name that came or went before is another. */
  async #pod({ namespace, name, uid }: PodIdentity): Promise<Pod> {
    const { agent, datastore } = this.#options;
    const known = uid === undefined ? undefined : agent.localPod({ namespace, name }, uid);
    if (known) return known;
    const pod = await unlessMissing(datastore.get(pods, { namespace, name }));
    if (pod && (uid === undefined || pod.metadata.uid === uid)) return pod;
    throw new CniError(
      cniErrorCodes.failed,
      `There is no pod "${namespace}/${name}" with UID "${uid ?? ''}"`,
    );
  }

  async #namespace(name: string): Promise<Namespace | undefined> {
    const { agent, datastore } = this.#options;
    return agent.namespace(name) ?? (await unlessMissing(datastore.get(namespaces, { name })));
  }

  async #assign(
    request: AttachmentRequest,
    wishes: PodWishes,
    namespace: Namespace | undefined,
  ): Promise<readonly string[]> {
    if (wishes.foreignAddresses.length > 0) return wishes.foreignAddresses;
    const namespaceLabels = new Map(Object.entries(namespace?.metadata.labels ?? {}));
    return await this.#plugin(request).assign(request, { ...wishes, namespaceLabels });
  }

  #plugin({ configuration }: AttachmentRequest): AddressPlugin {
    return configuration.ipam.type === 'calico-ipam' ? this.#calicoIpam : this.#delegatedIpam;
  }

  async #annotate(
    { namespace, name }: PodIdentity,
    uid: string | undefined,
    annotations: Record<string, string>,
  ): Promise<void> {
    const metadata = { ...(uid && { uid }), annotations };
    await this.#options.datastore.mergePatch(pods, { namespace, name }, { metadata });
  }
}

function podOf({ pod }: AttachmentRequest): PodIdentity {
  if (pod) return pod;
  throw new CniError(
    cniErrorCodes.invalidEnvironment,
    'CNI_ARGS names no K8S_POD_NAMESPACE and K8S_POD_NAME',
  );
}

function keyOf({ namespace, name }: PodIdentity): string {
  return `${namespace}/${name}`;
}

function lockKeyOf({ pod, containerId }: AttachmentRequest): string {
  return pod ? keyOf(pod) : containerId;
}

function interfaceOf({ namespace, name }: PodIdentity): string {
  return interfaceNameOf(namespace, name);
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function nets(addresses: readonly string[]): string[] {
  return addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`);
}
