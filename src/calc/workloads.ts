// One truth about each pod from two tellers: the watch of pods, which may lag, and the CNI server, which has just set
// the pod up or taken it down on this node.
import type { WorkloadEndpoint } from '../policy/index.ts';

interface Told {
  byWatch?: WorkloadEndpoint;
  byCni?: WorkloadEndpoint;
  /** Containers that the CNI server has taken down while the watch still showed them. */
  readonly detached: Set<string>;
}

/** "namespace/pod". */
export function workloadKey(workload: { namespace: string; pod: string }): string {
  return `${workload.namespace}/${workload.pod}`;
}

export class Workloads {
  readonly #told = new Map<string, Told>();

  /** Undefined when the pod does not exist, takes no part in policy, or was taken down here. */
  get(key: string): WorkloadEndpoint | undefined {
    const told = this.#told.get(key);
    if (!told) return undefined;
    const { byWatch, byCni, detached } = told;
    if (!byCni) return byWatch?.containerId && detached.has(byWatch.containerId) ? undefined : byWatch;
    // The watch may know newer labels of the very same pod; where it lives only we know.
    if (!byWatch || byWatch.uid !== byCni.uid) return byCni;
    const { addresses, containerId, node } = byCni;
    return { ...byWatch, addresses, containerId, node };
  }

  /** Whether the CNI server has set the pod up here: its word of the addresses is above all others. */
  isAttached(key: string): boolean {
    return this.#told.get(key)?.byCni !== undefined;
  }

  watched(key: string, workload: WorkloadEndpoint | undefined): void {
    const told = this.#tell(key);
    if (workload) told.byWatch = workload;
    else delete told.byWatch;
    // A container's name is never used again: once the watch has moved on, it need not be remembered.
    for (const container of told.detached)
      if (container !== workload?.containerId) told.detached.delete(container);
    this.#forgetIfEmpty(key, told);
  }

  attached(key: string, workload: WorkloadEndpoint): void {
    this.#tell(key).byCni = workload;
  }

  detached(key: string, containerId: string): void {
    const told = this.#tell(key);
    if (told.byCni?.containerId === containerId) delete told.byCni;
    if (told.byWatch?.containerId === containerId) told.detached.add(containerId);
    this.#forgetIfEmpty(key, told);
  }

  #tell(key: string): Told {
    const told = this.#told.get(key) ?? { detached: new Set<string>() };
    this.#told.set(key, told);
    return told;
  }

  #forgetIfEmpty(key: string, told: Told): void {
    if (!told.byWatch && !told.byCni) this.#told.delete(key);
  }
}
