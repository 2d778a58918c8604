// The pods of the cluster as endpoints: what each contributes to sets of addresses, and which of them live here and are to
// be programmed. Labels are a pod's own and those of its namespace and service account.
import { type WorkloadEndpoint, workloadEndpointOf } from '../policy/index.ts';
import { type IPAMBlock, keyOf, type Pod } from '../resources/index.ts';
import { AddressClaims } from './address-claims.ts';
import type { AddressSets } from './address-sets.ts';
import type { EndpointProgram } from './desired-state.ts';
import { type InheritedLabels, sameEntries } from './inherited-labels.ts';
import { interfaceNameOf } from './interface-name.ts';
import { LabelSet } from './label-set.ts';
import type { Policies } from './policies.ts';
import { Workloads, workloadKey } from './workloads.ts';

interface ClusterEndpointsOptions {
  /** Name of the node. */
  readonly node: string;
  readonly sets: AddressSets;
  readonly policies: Policies;
  readonly namespaces: InheritedLabels;
  /** By "namespace/name". */
  readonly serviceAccounts: InheritedLabels;
  /** Is told of every pod that is new, other or gone: where it lives, and which addresses it is believed to have. */
  readonly placed: (key: string, workload: WorkloadEndpoint | undefined) => void;
}

export class ClusterEndpoints {
  readonly #node: string;
  readonly #sets: AddressSets;
  readonly #policies: Policies;
  readonly #placed: (key: string, workload: WorkloadEndpoint | undefined) => void;
  readonly #workloads = new Workloads();
  readonly #claims = new AddressClaims();
  /** What each pod contributes now; the previous telling, to see what a new one changes. */
  readonly #known = new Map<string, WorkloadEndpoint>();
  readonly #namespaces: InheritedLabels;
  readonly #serviceAccounts: InheritedLabels;
  /** Pods by what they inherit from: "namespace", or "namespace/service account". */
  readonly #heirs = new Map<string, Set<string>>();
  readonly #programs = new Map<string, EndpointProgram>();
  readonly #gone = new Set<string>();

  constructor({ node, sets, policies, namespaces, serviceAccounts, placed }: ClusterEndpointsOptions) {
    this.#node = node;
    this.#placed = placed;
    this.#namespaces = namespaces;
    this.#serviceAccounts = serviceAccounts;
    this.#sets = sets;
    this.#policies = policies;
  }

  /** Programs of the endpoints of this node, by "namespace/pod"; right after `program`. */
  get state(): ReadonlyMap<string, EndpointProgram> {
    return this.#programs;
  }

  get hasChanges(): boolean {
    return this.#gone.size > 0;
  }

  setPod(pod: Pod): void {
    const key = keyOf(pod);
    this.#workloads.watched(key, workloadEndpointOf(pod));
    this.#refresh(key);
  }

  deletePod(key: string): void {
    this.#workloads.watched(key, undefined);
    this.#refresh(key);
  }

  attach(workload: WorkloadEndpoint): void {
    const key = workloadKey(workload);
    this.#workloads.attached(key, workload);
    this.#refresh(key);
  }

  detach(key: string, containerId: string): void {
    this.#workloads.detached(key, containerId);
    this.#refresh(key);
  }

  /** Undefined when there is no such block. */
  setBlock(name: string, block: IPAMBlock | undefined): void {
    for (const key of this.#claims.setBlock(name, block)) this.#refresh(key);
  }

  /** What is inherited from a namespace, or from a "namespace/service account", is other than before. */
  relabel(giver: string): void {
    for (const key of this.#heirs.get(giver) ?? []) {
      const workload = this.#known.get(key);
      if (workload) this.#place(key, workload, true);
    }
  }

  /** Brings the programs of these endpoints up to date; returns them, and those that are gone since the last call. */
  program(dirty: ReadonlySet<string>): Set<string> {
    for (const key of dirty) {
      const workload = this.#known.get(key);
      if (!workload || !this.#isLocal(workload)) continue;
      this.#programs.set(key, {
        interfaceName: interfaceNameOf(workload.namespace, workload.pod),
        addresses: workload.addresses,
        ingress: this.#policies.tiersOf(key, 'ingress'),
        egress: this.#policies.tiersOf(key, 'egress'),
        // A namespace's profile allows what no policy judged; one that has not been seen yet allows nothing.
        afterTiers: this.#namespaces.get(workload.namespace) ? 'Allow' : 'Deny',
        ...(workload.path && { path: workload.path }),
      });
    }
    // Host endpoints have policies, too, and are no business of ours.
    const changed = new Set([...[...dirty].filter((key) => key.includes('/')), ...this.#gone]);
    this.#gone.clear();
    return changed;
  }

  #refresh(key: string): void {
    const before = this.#known.get(key);
    const now = this.#believed(key);
    if (before && now && sameWorkload(before, now)) return;
    this.#placed(key, now);
    if (before) for (const giver of giversOf(before)) this.#heirs.get(giver)?.delete(key);
    if (!now) {
      if (!before) return;
      this.#known.delete(key);
      this.#sets.deleteContributor(key);
      this.#drop(key);
      return;
    }
    this.#known.set(key, now);
    for (const giver of giversOf(now)) {
      const heirs = this.#heirs.get(giver);
      if (heirs) heirs.add(key);
      else this.#heirs.set(giver, new Set([key]));
    }
    this.#place(key, now, !(before && sameLabels(before, now)));
  }

  #believed(key: string): WorkloadEndpoint | undefined {
    const told = this.#workloads.get(key);
    const isSettled = this.#workloads.isAttached(key);
    const addresses = this.#claims.settle(key, isSettled ? undefined : told);
    return told && (isSettled ? told : { ...told, addresses });
  }

  #place(key: string, workload: WorkloadEndpoint, isRelabelled: boolean): void {
    const labels = this.#labelsOf(workload);
    this.#sets.setContributor(key, workload, isRelabelled ? labels : undefined);
    if (this.#isLocal(workload)) this.#policies.setEndpoint(key, labels);
    else this.#drop(key);
  }

  /** Without an address there is nothing to protect yet; the CNI server tells us before there is. */
  #isLocal({ node, addresses }: WorkloadEndpoint): boolean {
    return node === this.#node && addresses.length > 0;
  }

  #labelsOf(workload: WorkloadEndpoint): LabelSet {
    const [namespace, account] = giversOf(workload);
    const inherited = [this.#namespaces.get(namespace), this.#serviceAccounts.get(account)];
    return new LabelSet([workload.labels, ...inherited.filter((labels) => labels !== undefined)]);
  }

  #drop(key: string): void {
    this.#policies.deleteEndpoint(key);
    if (this.#programs.delete(key)) this.#gone.add(key);
  }
}

function giversOf({ namespace, serviceAccount }: WorkloadEndpoint): readonly [string, string] {
  return [namespace, `${namespace}/${serviceAccount}`];
}

function sameLabels(a: WorkloadEndpoint, b: WorkloadEndpoint): boolean {
  return a.serviceAccount === b.serviceAccount && sameEntries(a.labels, b.labels);
}

function sameWorkload(a: WorkloadEndpoint, b: WorkloadEndpoint): boolean {
  return (
    a.node === b.node &&
    a.uid === b.uid &&
    sameLabels(a, b) &&
    a.addresses.join() === b.addresses.join() &&
    JSON.stringify(a.ports) === JSON.stringify(b.ports) &&
    JSON.stringify(a.path) === JSON.stringify(b.path)
  );
}
