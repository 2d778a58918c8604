// Who an address belongs to: pods, host endpoints, network sets and nodes, with every label that a selector can ask for.
import type { HostEndpoint, LabelSelector, Pod } from '../../resources/index.ts';
import { podAnnotations } from '../annotations.ts';
import { isWithin } from './address.ts';
import type { Cluster } from './cluster.ts';

type LabelRecord = Readonly<Record<string, string>>;

export interface Entity {
  readonly kind: 'pod' | 'host' | 'set' | 'node';
  /** For sentences: "namespace/name". */
  readonly name: string;
  /** Undefined for what belongs to no namespace. */
  readonly namespace: string | undefined;
  readonly labels: LabelRecord;
  /** Labels of the namespace and its name; empty while the namespace is not known. */
  readonly namespaceLabels: LabelRecord;
  readonly serviceAccountLabels: LabelRecord;
  /** Every label that a selector of Calico can ask for: its own, and those that are inherited under their prefixes. */
  readonly allLabels: LabelRecord;
  readonly has: (address: string) => boolean;
  readonly pod?: Pod;
  readonly host?: HostEndpoint;
}

type Described = Omit<Entity, 'allLabels'>;

export function entitiesOf(cluster: Cluster): Entity[] {
  const namespaceLabels = (name: string | undefined): LabelRecord => {
    const found = cluster.namespaces.find(({ metadata }) => metadata.name === name);
    return found ? { ...found.metadata.labels, 'projectcalico.org/name': found.metadata.name } : {};
  };
  const accountLabels = (namespace: string, name: string): LabelRecord => {
    const found = cluster.serviceAccounts?.find(
      ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
    );
    return found ? { ...found.metadata.labels, 'projectcalico.org/name': name } : {};
  };
  const pods = cluster.pods.filter(isPresent).map((pod): Described => {
    const { namespace = 'default', name, labels } = pod.metadata;
    const account = pod.spec?.serviceAccountName || 'default';
    const addresses = addressesOf(pod);
    return {
      kind: 'pod',
      name: `${namespace}/${name}`,
      namespace,
      labels: {
        ...written(labels),
        'projectcalico.org/namespace': namespace,
        'projectcalico.org/orchestrator': 'k8s',
        ...(account.length < 63 && { 'projectcalico.org/serviceaccount': account }),
      },
      namespaceLabels: namespaceLabels(namespace),
      serviceAccountLabels: accountLabels(namespace, account),
      has: (address) => addresses.includes(address),
      pod,
    };
  });
  const sets = (cluster.networkSets ?? []).map(
    ({ metadata: { namespace, name, labels }, spec }): Described => ({
      kind: 'set',
      name: namespace ? `${namespace}/${name}` : name,
      namespace,
      labels: { ...written(labels), ...(namespace && { 'projectcalico.org/namespace': namespace }) },
      namespaceLabels: namespaceLabels(namespace),
      serviceAccountLabels: {},
      has: (address) => (spec.nets ?? []).some((net) => isWithin(address, net)),
    }),
  );
  const nodes = (cluster.nodes ?? []).map(
    ({ metadata, status }): Described => ({
      kind: 'node',
      name: metadata.name,
      namespace: undefined,
      labels: metadata.labels ?? {},
      namespaceLabels: {},
      serviceAccountLabels: {},
      has: (address) => (status?.addresses ?? []).some((own) => own.address === address),
    }),
  );
  const hosts = (cluster.hostEndpoints ?? []).map((host): Described => {
    const { metadata, spec } = host;
    // The labels of what its profiles stand for; those of the first one where several have the same.
    const ofProfiles = (labelsOf: (profile: string) => LabelRecord): LabelRecord =>
      Object.assign({}, ...(spec.profiles ?? []).map(labelsOf).toReversed());
    return {
      kind: 'host',
      name: metadata.name,
      namespace: undefined,
      labels: written(metadata.labels),
      namespaceLabels: ofProfiles((profile) => namespaceLabels(/^kns\.(.*)$/.exec(profile)?.[1])),
      serviceAccountLabels: ofProfiles((profile) => {
        const [, namespace, account] = /^ksa\.([^.]+)\.(.+)$/.exec(profile) ?? [];
        return namespace && account ? accountLabels(namespace, account) : {};
      }),
      has: (address) => (spec.expectedIPs ?? []).some((own) => isWithin(address, own)),
      host,
    };
  });
  return [...pods, ...hosts, ...sets, ...nodes].map((entity) => ({
    ...entity,
    allLabels: allLabelsOf(entity),
  }));
}

/** What users write under the names by which the system tells of an endpoint is not heard. */
function written(labels: LabelRecord = {}): LabelRecord {
  const reserved = /^(pcns\..*|pcsa\..*|projectcalico\.org\/(namespace|orchestrator|serviceaccount))$/s;
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !reserved.test(name)));
}

function allLabelsOf({ labels, namespaceLabels, serviceAccountLabels }: Described): LabelRecord {
  const prefixed = (prefix: string, record: LabelRecord) =>
    Object.fromEntries(Object.entries(record).map(([key, value]) => [prefix + key, value]));
  return { ...prefixed('pcsa.', serviceAccountLabels), ...prefixed('pcns.', namespaceLabels), ...labels };
}

/** Pods on the host's network have the node's address, and no policy speaks of them; ended pods have none any more. */
function isPresent({ spec, status, metadata }: Pod): boolean {
  const isTakenDown = metadata.deletionTimestamp && metadata.annotations?.[podAnnotations.podIp] === '';
  return !spec?.hostNetwork && status?.phase !== 'Succeeded' && status?.phase !== 'Failed' && !isTakenDown;
}

/** As the kubelet tells them. Agents believe annotations besides, where IPAM confirms them, for a moment. */
function addressesOf({ status }: Pod): string[] {
  return status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP ? [status.podIP] : []);
}

/** Whether a container of the pod, or the host endpoint, gives that name to that port. */
export function givesName({ pod, host }: Entity, name: string, port: number, protocol: string): boolean {
  const listed = host?.spec.ports ?? [];
  if (listed.some((own) => own.name === name && own.port === port && own.protocol === protocol)) return true;
  const containers = [
    ...(pod?.spec?.containers ?? []),
    ...(pod?.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always'),
  ];
  return containers.some((container) =>
    (container.ports ?? []).some(
      (own) => own.name === name && own.containerPort === port && (own.protocol ?? 'TCP') === protocol,
    ),
  );
}

/** Whether a label selector says something: the API server refuses values that are missing, and operators that are none. */
export function isClear({ matchExpressions = [] }: LabelSelector): boolean {
  return matchExpressions.every(({ operator, values = [] }) =>
    operator === 'In' || operator === 'NotIn'
      ? values.length > 0
      : operator === 'Exists' || operator === 'DoesNotExist',
  );
}

/** A label selector of Kubernetes, as its documentation has it. */
export function selects(selector: LabelSelector, labels: LabelRecord): boolean {
  const has = (key: string) => Object.hasOwn(labels, key);
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (!has(key) || labels[key] !== value) return false;
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const isListed = has(key) && values.includes(labels[key] ?? '');
    if (operator === 'In' && !isListed) return false;
    if (operator === 'NotIn' && isListed) return false;
    if (operator === 'Exists' && !has(key)) return false;
    if (operator === 'DoesNotExist' && has(key)) return false;
  }
  return true;
}
