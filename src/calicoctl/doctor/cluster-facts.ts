// What the API server knows that the doctor looks at, read once.
import { ForbiddenError, NotFoundError } from '../../datastore/index.ts';
import { auditIpam, type IpamSnapshot, readSnapshot } from '../../ipam/index.ts';
import {
  type CalicoNodeStatus,
  calicoNodeStatuses,
  type IPReservation,
  ipReservations,
  type Pod,
  type Resource,
  type ResourceKind,
} from '../../resources/index.ts';
import { type Event, events } from '../events.ts';
import { type ClusterFacts as Information, readClusterInformation, type Session } from '../session.ts';
import { version } from '../version.ts';
import { type AgentSettings, readAgentSettings } from './agent-settings.ts';
import { type ClusterRanges, readClusterRanges } from './cluster-ranges.ts';

export interface ClusterFacts {
  /** Of this calicoctl. */
  readonly version: string;
  readonly information: Information | undefined;
  readonly ipam: IpamSnapshot;
  /** As it was a little earlier, where something looked wrong: pods that come or go meanwhile look so, too, but only once. */
  readonly earlierIpam?: IpamSnapshot;
  readonly reservations: readonly IPReservation[];
  readonly nodeStatuses: readonly CalicoNodeStatus[];
  /** Pods of Calico's own programs, wherever they were installed. */
  readonly calicoPods: readonly CalicoPod[];
  /** How calico-node was set up, of every sort that runs; empty where none runs as a pod. */
  readonly agentSettings: readonly AgentSettings[];
  readonly ranges: ClusterRanges;
  /** Of pods that could not be set up; none where events are not for us to see. */
  readonly setupFailures: readonly Event[];
}

/** A pod with what its kubelet says of its containers. */
export interface CalicoPod extends Pod {
  readonly status?: NonNullable<Pod['status']> & {
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly image?: string;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
  readonly lastState?: {
    readonly terminated?: { readonly reason?: string; readonly message?: string; readonly exitCode?: number };
  };
}

/** Labels of the pods of Calico's programs. */
const programs = ['calico-node', 'calico-kube-controllers', 'calico-typha'];

export async function readClusterFacts({ datastore, client }: Session): Promise<ClusterFacts> {
  const [information, first, reservations, nodeStatuses, ranges, setupFailures] = await Promise.all([
    readClusterInformation(client),
    readSnapshot(datastore),
    datastore.list(ipReservations),
    listIfKnown(() => datastore.list(calicoNodeStatuses as ResourceKind<CalicoNodeStatus>)),
    readClusterRanges(client),
    listIfAllowed(() => client.list(events, { fieldSelector: 'reason=FailedCreatePodSandBox' })),
  ]);
  const { leakedAddresses, unassignedAddresses, sharedAddresses } = auditIpam(first);
  const isSuspicious = leakedAddresses.length + unassignedAddresses.length + sharedAddresses.length > 0;
  const ipam = isSuspicious ? await readSnapshot(datastore) : first;
  const calicoPods = ipam.pods.filter(({ metadata }) =>
    programs.includes(metadata.labels?.['k8s-app'] ?? ''),
  );
  return {
    version,
    information,
    ipam,
    ...(isSuspicious && { earlierIpam: first }),
    reservations,
    nodeStatuses,
    calicoPods: calicoPods as CalicoPod[],
    agentSettings: await readAgentSettings(client, calicoPods),
    ranges,
    setupFailures,
  };
}

/** An API server that does not know the kind has no objects of it. */
async function listIfKnown<T extends Resource>(list: () => Promise<T[]>): Promise<T[]> {
  try {
    return await list();
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}

/** They tell more, and are nothing that the rest depends on. */
async function listIfAllowed<T extends Resource>(list: () => Promise<T[]>): Promise<T[]> {
  try {
    return await list();
  } catch (error) {
    if (error instanceof ForbiddenError) return [];
    throw error;
  }
}
