// Pod: only the fields that pod networking reads or writes.
import type { Resource, ResourceKind } from '../resource.ts';

export interface ContainerPort {
  name?: string;
  containerPort: number;
  protocol?: 'TCP' | 'UDP' | 'SCTP';
  hostPort?: number;
}

export interface Container {
  name: string;
  image?: string;
  ports?: ContainerPort[];
  /** A sidecar when "Always" on an init container: its ports count as the pod's. */
  restartPolicy?: string;
}

export interface Pod extends Resource {
  spec?: {
    nodeName?: string;
    serviceAccountName?: string;
    hostNetwork?: boolean;
    containers?: Container[];
    initContainers?: Container[];
  };
  status?: {
    phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    podIP?: string;
    podIPs?: { ip: string }[];
    hostIP?: string;
    hostIPs?: { ip: string }[];
    startTime?: string;
    conditions?: {
      type: string;
      status: 'True' | 'False' | 'Unknown';
      message?: string;
      lastTransitionTime?: string;
    }[];
    containerStatuses?: object[];
  };
}

export const pods: ResourceKind<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  hasStatus: true,
};
