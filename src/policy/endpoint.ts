// What of a pod takes part in policy: its labels, addresses and named ports.
import { canonicalAddress, protocolNumber } from '../net/index.ts';
import type { Container, Pod } from '../resources/index.ts';
import { podAnnotations } from './annotations.ts';
import { namespaceLabel, orchestratorLabel, serviceAccountLabel, writtenLabels } from './labels.ts';
import { type PodPath, podPathOf } from './pod-path.ts';

export interface EndpointPort {
  readonly name: string;
  /** IANA number. */
  readonly protocol: number;
  readonly port: number;
}

export interface WorkloadEndpoint {
  readonly namespace: string;
  readonly pod: string;
  readonly serviceAccount: string;
  /** Name of the node; undefined while the pod has none. */
  readonly node: string | undefined;
  /** The pod's UID: tells two pods of one name apart. */
  readonly uid: string | undefined;
  /** The container that CNI was called for; undefined before that. */
  readonly containerId: string | undefined;
  /** Canonical text, as the kubelet tells them; empty while the pod has none. */
  readonly addresses: readonly string[];
  /** As the pod's annotations tell them otherwise, which the CNI plugin writes sooner, and others may write as well. */
  readonly announced?: readonly string[];
  /** The pod's own labels and those that tell its namespace, orchestrator and service account. */
  readonly labels: ReadonlyMap<string, string>;
  readonly ports: readonly EndpointPort[];
  /** Absent when its annotations ask for nothing. */
  readonly path?: PodPath;
}

/**
 * Returns undefined for a pod that takes no part: one on the host's network, or one that has ended and whose addresses
 * may belong to another by now.
 */
export function workloadEndpointOf(pod: Pod): WorkloadEndpoint | undefined {
  const { spec, status, metadata } = pod;
  if (spec?.hostNetwork || status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined;
  // Its sandbox is gone, and its addresses may be others' before its object is.
  if (metadata.deletionTimestamp && metadata.annotations?.[podAnnotations.podIp] === '') return undefined;
  const namespace = metadata.namespace ?? 'default';
  const serviceAccount = spec?.serviceAccountName || 'default';
  const labels = writtenLabels(metadata.labels);
  labels.set(namespaceLabel, namespace);
  labels.set(orchestratorLabel, 'k8s');
  // Upstream's bound: a label's value may not be long, and a service account's name may.
  if (serviceAccount.length < 63) labels.set(serviceAccountLabel, serviceAccount);
  const { path } = podPathOf(pod);
  const told = status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP ? [status.podIP] : []);
  const announced = announcedBy(metadata.annotations, told);
  return {
    namespace,
    pod: metadata.name,
    serviceAccount,
    node: spec?.nodeName || undefined,
    uid: metadata.uid,
    containerId: metadata.annotations?.[podAnnotations.containerId] || undefined,
    addresses: canonical(told),
    ...(announced.length > 0 && { announced }),
    labels,
    ports: portsOf(pod),
    ...(path && { path }),
  };
}

/** Nothing when that is what the kubelet tells as well. */
function announcedBy(annotations: Readonly<Record<string, string>> = {}, told: readonly string[]): string[] {
  const text = annotations[podAnnotations.podIps] || annotations[podAnnotations.podIp];
  if (!text) return [];
  const texts = text.split(',').map((part) => part.trim().replace(/\/.*$/, ''));
  return texts.join() === told.join() ? [] : canonical(texts);
}

/** Each once; without what is no address. */
function canonical(texts: readonly string[]): string[] {
  return [...new Set(texts.flatMap((text) => canonicalAddress(text) ?? []))];
}

function portsOf({ spec }: Pod): EndpointPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...(spec?.containers ?? []), ...sidecars].flatMap((container: Container) =>
    (container.ports ?? []).flatMap(({ name, protocol, containerPort }) => {
      const number = protocolNumber(protocol ?? 'TCP');
      return name && number !== undefined ? [{ name, protocol: number, port: containerPort }] : [];
    }),
  );
}
