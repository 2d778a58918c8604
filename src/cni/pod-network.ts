// What the plugin `calico` does on a node: addresses, a link, a policy endpoint, in the order that leaves no moment in which a
// packet could pass unjudged, and that leaves nothing behind when a step fails.
import { interfaceNameOf } from '../calc/index.ts';
import type { PodLinks } from '../dataplane/index.ts';
import type { Datastore } from '../datastore/index.ts';
import type { IpamClient } from '../ipam/index.ts';
import { podAnnotations, workloadEndpointOf } from '../policy/index.ts';
import type { Logger } from '../process/index.ts';
import { type Namespace, nodes } from '../resources/index.ts';
import type { AddressPlugin } from './addresses/address-plugin.ts';
import { CalicoIpam } from './addresses/calico-ipam.ts';
import { DelegatedIpam } from './addresses/delegated-ipam.ts';
import { checkFloatingAddresses, hasForeignAddresses, type PodWishes, readWishes } from './annotations.ts';
import { ownerNote } from './attachment.ts';
import { checkAttachment } from './check.ts';
import { CniError, cniErrorCodes } from './errors.ts';
import { GarbageRound, garbageDeletions } from './garbage.ts';
import { passDatastore, passGates } from './gates.ts';
import { Newcomers } from './newcomers.ts';
import type { Plugin } from './plugin.ts';
import { PodObjects } from './pod-objects.ts';
import { PodTurns } from './pod-turns.ts';
import type { PolicyAgent } from './policy-agent.ts';
import type { AttachmentRequest, CniRequest, GarbageRequest, PodIdentity, StatusRequest } from './request.ts';
import type { Attached } from './result.ts';
import { otherAttachment, takeDown } from './take-down.ts';
import { WaitLimit } from './wait-limit.ts';

export interface CalicoNetworkOptions {
  /** Name of the node. */
  readonly node: string;
  readonly datastore: Datastore;
  readonly ipam: IpamClient;
  readonly links: PodLinks;
  readonly agent: PolicyAgent;
  /** Whether the kernel judges a link's packets by its pod's policy. */
  readonly isGuarded: (interfaceName: string) => boolean;
  /** Ends what connections of earlier pods with these addresses are still known; absent where every state of policy judges them anew. */
  readonly forgetConnections?: (addresses: readonly string[]) => void;
  /** Bytes of a pod's packet, where the configuration does not say. */
  readonly mtu: number;
  /** The file that says so to others. */
  readonly mtuFile: string;
  /** The file that tells others the node's name. */
  readonly nodenameFile: string;
  /** Where other IPAM plugins are, besides where the runtime says. */
  readonly pluginFolders: readonly string[];
  readonly log: Logger;
}

const usualTurnLimitMs = 90_000;

export class CalicoNetwork implements Plugin {
  readonly #options: CalicoNetworkOptions;
  readonly #calicoIpam: AddressPlugin;
  readonly #delegatedIpam: AddressPlugin;
  readonly #objects: PodObjects;
  readonly #turns = new PodTurns();
  readonly #newcomers = new Newcomers();

  constructor(options: CalicoNetworkOptions) {
    const { agent, ipam, node, datastore, pluginFolders } = options;
    this.#options = options;
    this.#objects = new PodObjects(datastore, agent);
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
    const limit = new WaitLimit(request.configuration.policyTimeoutMs);
    const answer = Promise.withResolvers<Attached>();
    this.#newcomers
      .during(request.containerId, () =>
        this.#turns.take(
          request,
          () => this.#add(request, pod, limit, answer.reject),
          turnLimitOf(request, limit),
        ),
      )
      .then(answer.resolve, answer.reject);
    return answer.promise;
  }

  /** Waits for its turn as long as it takes: what it did not take down would stay. */
  delete(request: AttachmentRequest): Promise<void> {
    return this.#turns.take(request, () => this.#delete(request));
  }

  async check(request: AttachmentRequest): Promise<void> {
    const pod = podOf(request);
    const interfaceName = interfaceOf(pod);
    const limit = new WaitLimit(request.configuration.policyTimeoutMs);
    const check = async () => {
      await checkAttachment({ ...this.#options, request, interfaceName });
      const { metadata } = await this.#objects.find(pod);
      if (!hasForeignAddresses(metadata.annotations)) await this.#plugin(request).check(request);
    };
    await this.#turns.take(request, check, turnLimitOf(request, limit));
  }

  async collectGarbage(request: GarbageRequest): Promise<void> {
    const { datastore, links, node } = this.#options;
    const round = new GarbageRound();
    await this.#newcomers.noted(async (newcomers) => {
      const search = { datastore, node, owners: () => links.owners().values() };
      const deletions = await garbageDeletions(request, search, round);
      for (const deletion of deletions.filter(({ containerId }) => !newcomers.has(containerId))) {
        await round.attempt(`container "${deletion.containerId}"`, () => this.delete(deletion));
      }
    });
    await round.attempt('addresses', () => this.#plugin(request).collectGarbage(request));
    round.end();
  }

  async status(request: StatusRequest): Promise<void> {
    const { agent, datastore } = this.#options;
    const { notAvailable, limitedConnectivity } = cniErrorCodes;
    if (!agent.isInSync) throw new CniError(notAvailable, 'calico-node has not read all policies yet');
    if (agent.isInDoubt) {
      throw new CniError(
        limitedConnectivity,
        'calico-node cannot bring the present policies into the kernel',
      );
    }
    await Promise.all([passDatastore(datastore), this.#plugin(request).status(request)]).catch(
      (cause: Error) => {
        throw new CniError(notAvailable, cause.message, { cause });
      },
    );
  }

  /** `giveUp` answers before what was done is undone: for whoever was to be answered within a time. */
  async #add(
    request: AttachmentRequest,
    identity: PodIdentity,
    limit: WaitLimit,
    giveUp: (error: unknown) => void,
  ): Promise<Attached> {
    const { agent, links, mtu: usualMtu, node } = this.#options;
    const { configuration, containerId, interfaceName: podInterfaceName, namespacePath } = request;
    if (!agent.isInSync) {
      throw new CniError(cniErrorCodes.tryAgainLater, 'calico-node has not read all policies yet');
    }
    const other = otherAttachment(request, links);
    if (other) {
      throw new CniError(
        cniErrorCodes.failed,
        `Pod "${keyOf(identity)}" is attached by "${other.interfaceName}" in the network "${other.network}" already; ` +
          'a pod has one interface of Calico',
      );
    }
    // Nobody took the answer to an ADD of this very container, or it would not be added again.
    if (links.owner(interfaceOf(identity)) === noteOf(request, identity)) await this.#delete(request);
    await passGates(configuration, this.#options);
    const pod = await this.#objects.find(identity);
    const endpoint = workloadEndpointOf(pod);
    if (!endpoint) {
      throw new CniError(
        cniErrorCodes.failed,
        `Pod "${keyOf(identity)}" is on the host's network or has ended, and gets no link`,
      );
    }
    const namespace = await this.#objects.namespace(identity.namespace);
    const wishes = readWishes(pod, namespace, configuration);
    const interfaceName = interfaceOf(identity);
    const mtu = configuration.mtu ?? usualMtu;
    let told: Promise<void> | undefined;
    try {
      const addresses = await this.#assign(request, wishes, namespace);
      checkFloatingAddresses(wishes.floatingAddresses, addresses);
      const link = await links.attach({
        interfaceName,
        podInterfaceName,
        podNamespacePath: namespacePath,
        addresses,
        mtu,
        owner: noteOf(request, identity),
        allowIpForwarding: configuration.allowIpForwarding,
        defaultRoutes: configuration.defaultRoutes,
        ...(wishes.mac && { podMac: wishes.mac }),
        ...(configuration.queues && { queues: configuration.queues }),
      });
      // The endpoint is in the kernel before its link is up; its peers may hear of its address in the meantime.
      const protectedNow = agent.attach({ ...endpoint, node, addresses, containerId });
      told = this.#objects.tellAddresses(identity, pod.metadata.uid, addresses, containerId);
      const inTime = limit.within(
        protectedNow,
        () => `The policy of pod "${keyOf(identity)}" is not in the kernel`,
      );
      // An agent that cannot bring the policy into the kernel in time cannot take it out in time either.
      inTime.catch((error) => error instanceof CniError && giveUp(error));
      await Promise.all([inTime, told]);
      this.#options.forgetConnections?.(addresses);
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
      // What is on its way arrives before it is taken back.
      await told?.catch(() => {});
      const untell = told ? () => this.#untell(identity, pod.metadata.uid) : async () => {};
      await this.#takeDown(request, untell).catch((cause) => {
        // The runtime calls DEL after a failed ADD; what is left now is taken down then.
        this.#options.log.warn({ error: cause, pod: identity }, 'Cannot undo a failed ADD; DEL will');
      });
      throw error;
    }
  }

  async #delete(request: AttachmentRequest): Promise<void> {
    const { containerId, pod } = request;
    const known = pod && this.#options.agent.localPod(pod, undefined);
    const container = known?.metadata.annotations?.[podAnnotations.containerId];
    // A later container's addresses stay; one that is not known yet may be ours.
    const isOurs = known !== undefined && (container === undefined || container === containerId);
    await this.#takeDown(request, async () => {
      if (pod && isOurs) await this.#untell(pod, known.metadata.uid);
    });
  }

  async #untell(pod: PodIdentity, uid: string | undefined): Promise<void> {
    try {
      await this.#objects.tellNoAddress(pod, uid);
    } catch (error) {
      // Most pods are gone by now, or have a successor of the same name; then there is nothing to correct.
      this.#options.log.debug({ error, pod }, 'Cannot take the address off the pod');
    }
  }

  #takeDown(request: AttachmentRequest, untell: () => Promise<void>): Promise<void> {
    const { agent, links } = this.#options;
    return takeDown(request, { agent, links, addresses: this.#plugin(request), untell });
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

  #plugin({ configuration }: CniRequest): AddressPlugin {
    return configuration.ipam.type === 'calico-ipam' ? this.#calicoIpam : this.#delegatedIpam;
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

/** Where the configuration sets no time, policy is waited for without end, and an earlier request for as long as upstream's IPAM may take. */
function turnLimitOf({ configuration }: AttachmentRequest, limit: WaitLimit): WaitLimit {
  return configuration.policyTimeoutMs === undefined ? new WaitLimit(usualTurnLimitMs) : limit;
}

function noteOf({ configuration, containerId, interfaceName }: AttachmentRequest, pod: PodIdentity): string {
  return ownerNote({ network: configuration.name, containerId, interfaceName, pod });
}

function interfaceOf({ namespace, name }: PodIdentity): string {
  return interfaceNameOf(namespace, name);
}
