// Which pods, and what makes them, are Calico's own: in namespaces that are its alone, or by its labels wherever else it was installed.
import type { Pod, Resource } from '../../resources/index.ts';

const namespacesOfCalico = ['calico-system', 'calico-apiserver', 'tigera-operator'];
const labels = ['calico-node', 'calico-kube-controllers', 'calico-typha'];
const kinds = ['Pod', 'DaemonSet', 'Deployment'];

export function isProgram({ kind, metadata }: Resource): boolean {
  return (
    kinds.includes(kind) &&
    (isOfCalico(metadata.namespace) || labels.includes(metadata.labels?.['k8s-app'] ?? ''))
  );
}

/** Namespaces in which Calico lives, given the pods of its programs. */
export function programNamespaces(programs: readonly Pod[]): ReadonlySet<string> {
  return new Set([...namespacesOfCalico, ...programs.map(({ metadata }) => metadata.namespace ?? '')]);
}

/** Whether a namespace is Calico's alone. */
export function isOfCalico(namespace = ''): boolean {
  return namespacesOfCalico.includes(namespace);
}
