// Random clusters whose pods live where the network of the agents' cluster has ways to them.
import type fc from 'fast-check';
import type { Cluster } from '../../../src/policy/index.ts';
import { arbitraryClusterOn } from '../../policy/arbitrary-cluster.ts';
import { nodeNames, podNode } from './places.ts';

export const arbitraryPlacedCluster: fc.Arbitrary<Cluster> = arbitraryClusterOn(nodeNames).map((cluster) => ({
  ...cluster,
  // All of them on the pods' network: those on the host's have no place of their own.
  pods: cluster.pods.map((pod, index) => ({
    ...pod,
    spec: { ...pod.spec, hostNetwork: false, nodeName: podNode(index) },
  })),
}));
