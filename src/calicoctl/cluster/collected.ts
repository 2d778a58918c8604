// What `calicoctl cluster diags` collects: Calico's own objects, what else it enforces or reads, what it was installed as, and events.
// Never Secrets; of ConfigMaps and workloads, Calico's alone.
import type { ListOptions } from '../../datastore/index.ts';
import {
  clusterNetworkPolicies,
  configMaps,
  endpointSlices,
  keyOf,
  kubernetesNetworkPolicies,
  namespaces,
  nodes,
  type Pod,
  pods,
  type Resource,
  type ResourceKind,
  services,
} from '../../resources/index.ts';
import { type Event, events } from '../events.ts';
import { printedKinds } from '../kinds/kinds.ts';
import { isOfCalico, isProgram, programNamespaces } from './programs.ts';

export interface Collected {
  readonly kind: ResourceKind;
  /** In the archive: "kubernetes/nodes.yaml". */
  readonly file: string;
  readonly options?: ListOptions;
  /** A cluster may do without the kind. */
  readonly isOptional?: boolean;
  /** All are when absent. */
  isWanted?(object: Resource): boolean;
  /** Whether how it is started may be shown; never when absent. */
  isOurs?(object: Resource): boolean;
}

const daemonSets: ResourceKind = {
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  namespaced: true,
};
const deployments: ResourceKind = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};
const configurationName = 'calico-config';

/** `programs` are the pods of Calico's programs. */
export function whatToCollect(programs: readonly Pod[]): Collected[] {
  const own = new Set(programs.map(keyOf));
  const homes = programNamespaces(programs);
  const calico = printedKinds
    .filter(({ madeFrom }) => madeFrom === undefined)
    .map((kind) => ({ kind, file: `calico/${kind.plural}.yaml` }));
  const kubernetes: readonly Omit<Collected, 'file'>[] = [
    { kind: nodes },
    { kind: namespaces },
    { kind: pods, isOurs: isProgram },
    { kind: kubernetesNetworkPolicies },
    { kind: clusterNetworkPolicies, isOptional: true },
    { kind: services },
    { kind: endpointSlices },
    { kind: events, isOurs: (event) => isAboutProgram(own, event) },
    { kind: daemonSets, isWanted: isProgram, isOurs: isProgram },
    { kind: deployments, isWanted: isProgram, isOurs: isProgram },
    {
      kind: configMaps,
      // The others are not even asked for.
      options: { fieldSelector: `metadata.name=${configurationName}` },
      isWanted: ({ metadata: { namespace = '', name } }) =>
        name === configurationName && homes.has(namespace),
    },
  ];
  return [...calico, ...kubernetes.map((one) => ({ ...one, file: `kubernetes/${one.kind.plural}.yaml` }))];
}

/** Pods that are gone are known by their namespace alone. */
function isAboutProgram(programs: ReadonlySet<string>, { involvedObject }: Event): boolean {
  const { kind, namespace = '', name = '' } = involvedObject ?? {};
  return kind === 'Pod' && (isOfCalico(namespace) || programs.has(keyOf({ metadata: { namespace, name } })));
}
