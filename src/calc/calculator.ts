// The calculation for one node: the cluster's objects go in one by one, in any order; what this node's kernel shall hold
// comes out. No I/O, no clock; the result depends on the objects alone and never on the order in which they came.
import {
  type ConvertedPolicy,
  fromKubernetesNetworkPolicy,
  nameLabel,
  namespaceLabelPrefix,
  policyKey,
  type WorkloadEndpoint,
  workloadEndpointOf,
} from '../policy/index.ts';
import {
  type IPAMBlock,
  type IPPool,
  type KubernetesNetworkPolicy,
  keyOf,
  type Namespace,
  type Node,
  type Pod,
} from '../resources/index.ts';
import { AddressSets } from './address-sets.ts';
import type { Changes, DesiredState, EndpointProgram } from './desired-state.ts';
import { interfaceNameOf } from './interface-name.ts';
import { LabelSet } from './label-set.ts';
import { Overlay } from './overlay.ts';
import { Policies } from './policies.ts';
import { Workloads, workloadKey } from './workloads.ts';

export interface CalculatorOptions {
  /** Name of the node. */
  readonly node: string;
  /** Told of every part of an object that could not be understood, in a sentence. It allows nothing meanwhile. */
  readonly onFault?: (sentence: string) => void;
}

export class Calculator {
  readonly #node: string;
  readonly #onFault: (sentence: string) => void;
  readonly #sets = new AddressSets();
  readonly #policies = new Policies(this.#sets);
  readonly #overlay: Overlay;
  readonly #workloads = new Workloads();
  /** What each pod contributes now; the previous telling, to see what a new one changes. */
  readonly #known = new Map<string, WorkloadEndpoint>();
  readonly #podsOfNamespace = new Map<string, Set<string>>();
  readonly #namespaceLabels = new Map<string, ReadonlyMap<string, string>>();
  readonly #endpoints = new Map<string, EndpointProgram>();
  readonly #goneEndpoints = new Set<string>();
  readonly state: DesiredState;

  constructor({ node, onFault = () => {} }: CalculatorOptions) {
    this.#node = node;
    this.#onFault = onFault;
    this.#overlay = new Overlay(node);
    this.state = {
      sets: this.#sets.state,
      policies: this.#policies.state,
      endpoints: this.#endpoints,
      tunnelEndpoints: this.#overlay.tunnelEndpoints,
      routes: this.#overlay.routes,
    };
  }

  setPod(pod: Pod): void {
    const key = keyOf(pod);
    this.#workloads.watched(key, workloadEndpointOf(pod));
    this.#refresh(key);
  }

  /** Takes "namespace/name", as the others do. */
  deletePod(key: string): void {
    this.#workloads.watched(key, undefined);
    this.#refresh(key);
  }

  /** The CNI server has set this pod up, or is about to: from now on it is known here, whatever the watch has shown. */
  attachWorkload(workload: WorkloadEndpoint): void {
    const key = workloadKey(workload);
    this.#workloads.attached(key, workload);
    this.#refresh(key);
  }

  /** The CNI server has taken the pod's container down. A later container of the same name is not touched. */
  detachWorkload(key: string, containerId: string): void {
    this.#workloads.detached(key, containerId);
    this.#refresh(key);
  }

  setNamespace({ metadata }: Namespace): void {
    const labels = new Map<string, string>();
    for (const [label, value] of Object.entries(metadata.labels ?? {}))
      labels.set(namespaceLabelPrefix + label, value);
    labels.set(namespaceLabelPrefix + nameLabel, metadata.name);
    const known = this.#namespaceLabels.get(metadata.name);
    if (known && sameEntries(known, labels)) return;
    this.#namespaceLabels.set(metadata.name, labels);
    this.#relabel(metadata.name);
  }

  deleteNamespace(name: string): void {
    if (this.#namespaceLabels.delete(name)) this.#relabel(name);
  }

  setKubernetesNetworkPolicy(object: KubernetesNetworkPolicy): void {
    this.#setPolicy(`NetworkPolicy "${keyOf(object)}"`, fromKubernetesNetworkPolicy(object));
  }

  deleteKubernetesNetworkPolicy(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    this.#policies.deletePolicy(policyKey({ kind: 'KubernetesNetworkPolicy', namespace, name }));
  }

  setPool(pool: IPPool): void {
    this.#overlay.setPool(pool.metadata.name, pool);
  }

  deletePool(name: string): void {
    this.#overlay.setPool(name, undefined);
  }

  setBlock(block: IPAMBlock): void {
    this.#overlay.setBlock(block.metadata.name, block);
  }

  deleteBlock(name: string): void {
    this.#overlay.setBlock(name, undefined);
  }

  setNode(node: Node): void {
    this.#overlay.setNode(node.metadata.name, node);
  }

  deleteNode(name: string): void {
    this.#overlay.setNode(name, undefined);
  }

  get hasChanges(): boolean {
    return (
      this.#sets.hasChanges ||
      this.#policies.hasChanges ||
      this.#overlay.hasChanges ||
      this.#goneEndpoints.size > 0
    );
  }

  /** Brings `state` up to date and says what of it differs from when this was last called. */
  takeChanges(): Changes {
    const { policies, endpoints } = this.#policies.takeChanges();
    for (const key of endpoints) this.#program(key);
    for (const key of this.#goneEndpoints) endpoints.add(key);
    this.#goneEndpoints.clear();
    return { policies, endpoints, sets: this.#sets.takeChanges(), ...this.#overlay.takeChanges() };
  }

  #setPolicy(what: string, { policy, faults }: ConvertedPolicy): void {
    for (const fault of faults)
      this.#onFault(`Cannot understand ${what}: ${fault}; that part allows nothing`);
    this.#policies.setPolicy(policy);
  }

  #refresh(key: string): void {
    const before = this.#known.get(key);
    const now = this.#workloads.get(key);
    if (before && now && sameWorkload(before, now)) return;
    if (!now) {
      if (!before) return;
      this.#known.delete(key);
      this.#podsOfNamespace.get(before.namespace)?.delete(key);
      this.#sets.deleteContributor(key);
      this.#dropEndpoint(key);
      return;
    }
    this.#known.set(key, now);
    const pods = this.#podsOfNamespace.get(now.namespace);
    if (pods) pods.add(key);
    else this.#podsOfNamespace.set(now.namespace, new Set([key]));
    const labels = this.#labelsOf(now);
    this.#sets.setContributor(
      key,
      now,
      before && sameEntries(before.labels, now.labels) ? undefined : labels,
    );
    // Without an address there is nothing to protect yet; the CNI server tells us before there is.
    if (now.node === this.#node && now.addresses.length > 0) this.#policies.setEndpoint(key, labels);
    else this.#dropEndpoint(key);
  }

  #relabel(namespace: string): void {
    for (const key of this.#podsOfNamespace.get(namespace) ?? []) {
      const workload = this.#known.get(key);
      if (!workload) continue;
      const labels = this.#labelsOf(workload);
      this.#sets.setContributor(key, workload, labels);
      if (workload.node === this.#node && workload.addresses.length > 0)
        this.#policies.setEndpoint(key, labels);
    }
  }

  #labelsOf(workload: WorkloadEndpoint): LabelSet {
    const inherited = this.#namespaceLabels.get(workload.namespace);
    return new LabelSet(inherited ? [workload.labels, inherited] : [workload.labels]);
  }

  #dropEndpoint(key: string): void {
    this.#policies.deleteEndpoint(key);
    if (this.#endpoints.delete(key)) this.#goneEndpoints.add(key);
  }

  #program(key: string): void {
    const workload = this.#known.get(key);
    if (!workload || workload.node !== this.#node || workload.addresses.length === 0) return;
    this.#endpoints.set(key, {
      interfaceName: interfaceNameOf(workload.namespace, workload.pod),
      addresses: workload.addresses,
      ingress: this.#policies.tiersOf(key, 'ingress'),
      egress: this.#policies.tiersOf(key, 'egress'),
      // A namespace's profile allows what no policy judged; one that has not been seen yet allows nothing.
      afterTiers: this.#namespaceLabels.has(workload.namespace) ? 'Allow' : 'Deny',
    });
  }
}

function sameWorkload(a: WorkloadEndpoint, b: WorkloadEndpoint): boolean {
  return (
    a.node === b.node &&
    a.uid === b.uid &&
    sameEntries(a.labels, b.labels) &&
    a.addresses.join() === b.addresses.join() &&
    JSON.stringify(a.ports) === JSON.stringify(b.ports)
  );
}

function sameEntries(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
