// Which pods run in the cluster: what the kubelets report, and how to wait for a pod without asking again and again.

import { keyOf, type Pod } from '../resources/index.ts';
import { Changes, type Patience } from './condition.ts';
import type { ProbedPod, Transport } from './matrix/matrix.ts';

const transports: Readonly<Record<string, Transport>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' };

export class RunningPods {
  readonly #pods = new Map<string, ProbedPod>();
  readonly #changes = new Changes();

  add(pod: ProbedPod): void {
    this.#pods.set(keyOfPod(pod), pod);
    this.#changes.notify();
  }

  remove(pod: Pod): void {
    this.#pods.delete(keyOf(pod));
  }

  /** Sorted by namespace, and by name within. */
  list(): ProbedPod[] {
    return [...this.#pods.values()].toSorted(
      (a, b) => a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name),
    );
  }

  /** Resolves when all of these pods ("namespace/name") run. @throws Error that names those that do not by the deadline */
  waitFor(keys: readonly string[], patience: Patience): Promise<void> {
    const missing = () => keys.filter((key) => !this.#pods.has(key));
    return this.#changes.until(
      () => missing().length === 0,
      patience,
      () => `Not running after ${patience.deadlineMs / 1000} s: ${missing().join(', ')}`,
    );
  }
}

/** "namespace/name". */
export function keyOfPod(pod: ProbedPod): string {
  return `${pod.namespace}/${pod.name}`;
}

/** A pod as the matrix and the prober see it. */
export function probedPod(pod: Pod, ip: string): ProbedPod {
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  return {
    namespace: pod.metadata.namespace ?? 'default',
    name: pod.metadata.name,
    node: pod.spec?.nodeName ?? '',
    ip,
    labels: pod.metadata.labels ?? {},
    ports: ports.map(({ name, containerPort, protocol = 'TCP' }) => ({
      name: name ?? String(containerPort),
      protocol: transports[protocol] ?? 'tcp',
      port: containerPort,
    })),
  };
}
