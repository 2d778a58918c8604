// The calculation for one node: the cluster's objects go in one by one, in any order; what this node's kernel shall hold
// comes out. No I/O, no clock; the result depends on the objects alone and never on the order in which they came.
// This is the room's counter: it passes each object to the part that it concerns.
import {
  type ConvertedPolicy,
  fromCalicoNetworkPolicy,
  fromClusterNetworkPolicy,
  fromGlobalNetworkPolicy,
  fromKubernetesNetworkPolicy,
  nameLabel,
  namespaceLabelPrefix,
  type PolicyKind,
  podPathOf,
  policyKey,
  serviceAccountLabelPrefix,
  tierOf,
  type WorkloadEndpoint,
} from '../policy/index.ts';
import {
  type BGPConfiguration,
  type ClusterNetworkPolicy,
  type EndpointSlice,
  type GlobalNetworkPolicy,
  type GlobalNetworkSet,
  type HostEndpoint,
  type IPAMBlock,
  type IPPool,
  type KubernetesNetworkPolicy,
  keyOf,
  type Namespace,
  type NetworkPolicy,
  type NetworkSet,
  type Node,
  type Pod,
  type ServiceAccount,
  type Tier,
} from '../resources/index.ts';
import { AddressSets } from './address-sets.ts';
import { ClusterEndpoints } from './cluster-endpoints.ts';
import type { Changes, DesiredState } from './desired-state.ts';
import { HostEndpoints } from './host-endpoints.ts';
import { InheritedLabels } from './inherited-labels.ts';
import { NetworkFactsIndex } from './network-facts.ts';
import { NetworkSets } from './network-sets.ts';
import { Overlay, type OverlayOptions } from './overlay.ts';
import { Policies } from './policies.ts';

export interface CalculatorOptions {
  /** Name of the node. */
  readonly node: string;
  /** Told of every part of an object that could not be understood, in a sentence. It allows nothing meanwhile. */
  readonly onFault?: (sentence: string) => void;
  readonly overlay?: OverlayOptions;
  /** Interfaces that no host endpoint but that of all interfaces covers: Felix' interfaceExclude. */
  readonly excludedInterfaces?: readonly RegExp[];
  /** How names of interfaces begin that are workloads' though no pods': no host endpoint covers them. */
  readonly foreignWorkloads?: readonly string[];
}

/** Keys of objects are "namespace/name", or "name" for those of the whole cluster. */
export class Calculator {
  readonly #node: string;
  readonly #onFault: (sentence: string) => void;
  readonly #sets: AddressSets;
  readonly #policies: Policies;
  readonly #namespaces = new InheritedLabels(namespaceLabelPrefix, nameLabel);
  readonly #serviceAccounts = new InheritedLabels(serviceAccountLabelPrefix, nameLabel);
  readonly #endpoints: ClusterEndpoints;
  readonly #hostEndpoints: HostEndpoints;
  readonly #networkSets: NetworkSets;
  readonly #overlay: Overlay;
  readonly #network = new NetworkFactsIndex();
  readonly state: DesiredState;

  constructor({
    node,
    onFault = () => {},
    overlay,
    excludedInterfaces,
    foreignWorkloads,
  }: CalculatorOptions) {
    this.#node = node;
    this.#onFault = onFault;
    this.#sets = new AddressSets();
    this.#policies = new Policies(this.#sets);
    this.#hostEndpoints = new HostEndpoints({
      node,
      sets: this.#sets,
      policies: this.#policies,
      namespaces: this.#namespaces,
      serviceAccounts: this.#serviceAccounts,
      ...(excludedInterfaces && { excludedInterfaces }),
      ...(foreignWorkloads && { foreignWorkloads }),
    });
    this.#networkSets = new NetworkSets(this.#sets, this.#namespaces);
    this.#overlay = new Overlay(node, { ...overlay, onFault });
    const place = (key: string, pod: WorkloadEndpoint | undefined) =>
      this.#overlay.setPod(key, pod?.node ? { node: pod.node, addresses: pod.addresses } : undefined);
    this.#endpoints = new ClusterEndpoints({
      node,
      sets: this.#sets,
      policies: this.#policies,
      namespaces: this.#namespaces,
      serviceAccounts: this.#serviceAccounts,
      placed: place,
    });
    this.state = {
      sets: this.#sets.state,
      policies: this.#policies.state,
      endpoints: this.#endpoints.state,
      hostEndpoints: this.#hostEndpoints.state,
      tunnelEndpoints: this.#overlay.tunnelEndpoints,
      routes: this.#overlay.routes,
      network: this.#network.facts,
    };
  }

  setPod(pod: Pod): void {
    if (pod.spec?.nodeName === this.#node) {
      for (const fault of podPathOf(pod).faults)
        this.#onFault(`Cannot understand Pod "${keyOf(pod)}": ${fault}`);
    }
    this.#endpoints.setPod(pod);
  }

  deletePod(key: string): void {
    this.#endpoints.deletePod(key);
  }

  /** The CNI server has set this pod up, or is about to: from now on it is known here, whatever the watch has shown. */
  attachWorkload(workload: WorkloadEndpoint): void {
    this.#endpoints.attach(workload);
  }

  /** The CNI server has taken the pod's container down. A later container of the same name is not touched. */
  detachWorkload(key: string, containerId: string): void {
    this.#endpoints.detach(key, containerId);
  }

  setNamespace({ metadata }: Namespace): void {
    if (this.#namespaces.set(metadata.name, metadata.name, metadata.labels))
      this.#relabelNamespace(metadata.name);
  }

  deleteNamespace(name: string): void {
    if (this.#namespaces.delete(name)) this.#relabelNamespace(name);
  }

  setServiceAccount(account: ServiceAccount): void {
    const key = keyOf(account);
    const { name, labels } = account.metadata;
    if (this.#serviceAccounts.set(key, name, labels)) this.#relabel(key);
  }

  deleteServiceAccount(key: string): void {
    if (this.#serviceAccounts.delete(key)) this.#relabel(key);
  }

  setTier(tier: Tier): void {
    this.#policies.setTier(tier.metadata.name, tierOf(tier));
  }

  deleteTier(name: string): void {
    this.#policies.setTier(name, undefined);
  }

  setKubernetesNetworkPolicy(object: KubernetesNetworkPolicy): void {
    this.#setPolicy('NetworkPolicy of Kubernetes', keyOf(object), fromKubernetesNetworkPolicy(object));
  }

  setClusterNetworkPolicy(object: ClusterNetworkPolicy): void {
    this.#setPolicy('ClusterNetworkPolicy', keyOf(object), fromClusterNetworkPolicy(object));
  }

  setNetworkPolicy(object: NetworkPolicy): void {
    this.#setPolicy('NetworkPolicy', keyOf(object), fromCalicoNetworkPolicy(object));
  }

  setGlobalNetworkPolicy(object: GlobalNetworkPolicy): void {
    this.#setPolicy('GlobalNetworkPolicy', keyOf(object), fromGlobalNetworkPolicy(object));
  }

  /** Of any of the kinds above. */
  deletePolicy(kind: PolicyKind, key: string): void {
    const slash = key.indexOf('/');
    const id =
      slash < 0 ? { kind, name: key } : { kind, namespace: key.slice(0, slash), name: key.slice(slash + 1) };
    this.#policies.deletePolicy(policyKey(id));
  }

  setNetworkSet(set: NetworkSet | GlobalNetworkSet): void {
    for (const fault of this.#networkSets.set(set)) {
      this.#onFault(`Cannot understand ${set.kind} "${keyOf(set)}": ${fault}; it is left out`);
    }
  }

  deleteNetworkSet(kind: 'NetworkSet' | 'GlobalNetworkSet', key: string): void {
    this.#networkSets.delete(kind, key);
  }

  setEndpointSlice(slice: EndpointSlice): void {
    this.#networkSets.setEndpointSlice(slice);
  }

  deleteEndpointSlice(key: string): void {
    this.#networkSets.deleteEndpointSlice(key);
  }

  setHostEndpoint(object: HostEndpoint): void {
    for (const fault of this.#hostEndpoints.set(object)) {
      this.#onFault(`Cannot understand HostEndpoint "${object.metadata.name}": ${fault}; it is left out`);
    }
  }

  deleteHostEndpoint(name: string): void {
    this.#hostEndpoints.delete(name);
  }

  /** The addresses of an interface of this node that is no pod's; undefined when it is gone. */
  setInterface(name: string, addresses: readonly string[] | undefined): void {
    this.#hostEndpoints.setInterface(name, addresses);
  }

  setPool(pool: IPPool): void {
    this.#overlay.setPool(pool.metadata.name, pool);
    this.#network.setPool(pool.metadata.name, pool);
  }

  deletePool(name: string): void {
    this.#overlay.setPool(name, undefined);
    this.#network.setPool(name, undefined);
  }

  setBlock(block: IPAMBlock): void {
    this.#overlay.setBlock(block.metadata.name, block);
    this.#endpoints.setBlock(block.metadata.name, block);
  }

  deleteBlock(name: string): void {
    this.#overlay.setBlock(name, undefined);
    this.#endpoints.setBlock(name, undefined);
  }

  setNode(node: Node): void {
    this.#overlay.setNode(node.metadata.name, node);
    this.#network.setNode(node.metadata.name, node);
    this.#networkSets.setNode(node);
  }

  deleteNode(name: string): void {
    this.#overlay.setNode(name, undefined);
    this.#network.setNode(name, undefined);
    this.#networkSets.deleteNode(name);
  }

  setBgpConfiguration(configuration: BGPConfiguration): void {
    this.#network.setBgpConfiguration(configuration.metadata.name, configuration);
  }

  deleteBgpConfiguration(name: string): void {
    this.#network.setBgpConfiguration(name, undefined);
  }

  get hasChanges(): boolean {
    return (
      this.#sets.hasChanges ||
      this.#policies.hasChanges ||
      this.#overlay.hasChanges ||
      this.#network.hasChanges ||
      this.#hostEndpoints.hasChanges ||
      this.#endpoints.hasChanges
    );
  }

  /** Brings `state` up to date and says what of it differs from when this was last called. */
  takeChanges(): Changes {
    const { policies, endpoints } = this.#policies.takeChanges();
    const sets = this.#sets.takeChanges();
    // Rules carry the networks of the sets that they ask.
    const otherNets = new Set([...sets].flatMap(([id, { netsChanged }]) => (netsChanged ? [id] : [])));
    for (const key of this.#policies.askersOf(otherNets)) policies.add(key);
    return {
      policies,
      endpoints: this.#endpoints.program(endpoints),
      hostEndpoints: this.#hostEndpoints.program(endpoints),
      sets,
      ...this.#overlay.takeChanges(),
      network: this.#network.takeChanges(),
    };
  }

  /** What is inherited from a namespace, or from a "namespace/service account", is other than before. */
  #relabel(giver: string): void {
    this.#endpoints.relabel(giver);
    this.#hostEndpoints.relabel(giver);
  }

  #relabelNamespace(name: string): void {
    this.#relabel(name);
    this.#networkSets.relabel(name);
  }

  #setPolicy(what: string, key: string, { policy, faults }: ConvertedPolicy): void {
    for (const fault of faults)
      this.#onFault(`Cannot understand ${what} "${key}": ${fault}; that part allows nothing`);
    this.#policies.setPolicy(policy);
  }
}
