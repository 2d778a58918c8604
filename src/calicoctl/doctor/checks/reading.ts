// Whether there was anything to look at: what cannot be read is a finding, and does not hide what the rest shows.
import type { Check } from '../finding.ts';

/** How a reading ended. */
export interface Attempt {
  readonly fault: unknown;
}

const clusterIsRead: Check<Attempt> = {
  name: 'cluster-unread',
  asks: 'the API server answers, and shows what is to be looked at',
  look: ({ fault }) =>
    told(fault, {
      what: 'The cluster could not be looked at',
      where: 'the API server',
      remedy:
        'See whether it answers "kubectl get nodes", and use a kubeconfig that may read all of Calico\'s kinds, nodes and pods; to look at this node alone: calicoctl doctor --local',
    }),
};

const nodeIsRead: Check<Attempt> = {
  name: 'node-unread',
  asks: 'this machine shows its links, tables and files',
  look: ({ fault }) =>
    told(fault, {
      what: 'This node could not be looked at',
      where: 'this machine',
      remedy:
        'Run it as root, or in the node\'s calico-node container: see "Troubleshooting" in the documentation',
    }),
};

export const clusterReading = [clusterIsRead];
export const nodeReading = [nodeIsRead];

function told(
  fault: unknown,
  words: { readonly what: string; readonly where: string; readonly remedy: string },
) {
  if (fault === undefined) return [];
  const why = fault instanceof Error ? fault.message : String(fault);
  return [{ severity: 'error' as const, ...words, why }];
}
