// Whether Calico's own programs run and are ready, on every node, in one version; and why not, as their kubelets say.
import type { Node } from '../../../resources/index.ts';
import type { CalicoPod, ClusterFacts, ContainerStatus } from '../cluster-facts.ts';
import type { Check } from '../finding.ts';

const nodeLabel = 'calico-node';

/** Containers of Calico's own, here and upstream; whatever else is in these pods was put there by others, and has versions of its own. */
const ownContainers = /^((calico-)?(node|kube-controllers|typha)|install-cni|upgrade-ipam|flexvol-driver)$/;

const agentOnEveryNode: Check<ClusterFacts> = {
  name: 'agent-missing',
  asks: 'every node has a calico-node',
  look({ ipam, calicoPods }) {
    const agents = calicoPods.filter(isAgent);
    const served = new Set(agents.map(({ spec }) => spec?.nodeName));
    // Where it does not run as a pod, its own word on the node has to do.
    const isServed = ({ metadata, status }: Node) =>
      served.has(metadata.name) || (agents.length === 0 && saysCalicoIsUp(status));
    return ipam.nodes
      .filter((node) => !isServed(node) && node.metadata.labels?.['kubernetes.io/os'] !== 'windows')
      .map(({ metadata }) => ({
        severity: 'error',
        what: 'No calico-node runs on the node',
        where: `node "${metadata.name}"`,
        why: 'Pods there get no network, and policies are not enforced',
        remedy: `See why the DaemonSet places none: kubectl describe daemonset -A -l k8s-app=${nodeLabel}; its events name pods that are refused, and taints that it does not tolerate keep it off`,
      }));
  },
};

const agentsReady: Check<ClusterFacts> = {
  name: 'agent-not-ready',
  asks: "Calico's programs are ready",
  look: ({ calicoPods }) =>
    calicoPods.flatMap((pod) => {
      // What was evicted has ended, and was replaced by another.
      const isOver = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
      if (pod.metadata.deletionTimestamp || isOver || isReady(pod)) return [];
      const { namespace = '', name } = pod.metadata;
      const reasons = reasonsOf(pod);
      return [
        {
          severity: 'error' as const,
          what: 'The program is not ready',
          where: `pod ${namespace}/${name}${pod.spec?.nodeName ? ` on node "${pod.spec.nodeName}"` : ''}`,
          why: reasons.length > 0 ? reasons.join('; ') : 'its kubelet does not say why',
          remedy: `Look at its last words and at what its probes say: kubectl logs -n ${namespace} ${name} --all-containers --previous; kubectl describe pod -n ${namespace} ${name}`,
        },
      ];
    }),
};

const oneAgentPerNode: Check<ClusterFacts> = {
  name: 'two-agents',
  asks: 'no node has two calico-nodes',
  look({ calicoPods }) {
    const alive = calicoPods.filter(
      (pod) => isAgent(pod) && !pod.metadata.deletionTimestamp && pod.spec?.nodeName,
    );
    const byNode = Map.groupBy(alive, ({ spec }) => spec?.nodeName ?? '');
    return [...byNode].flatMap(([node, agents]) => {
      const spaces = [...new Set(agents.map(({ metadata }) => metadata.namespace ?? ''))];
      if (spaces.length < 2) return [];
      return [
        {
          severity: 'error' as const,
          what: `Two of Calico's DaemonSets run on the node, of the namespaces ${spaces.join(' and ')}`,
          where: `node "${node}"`,
          why: "Each takes out what the other has put into the kernel, and both write the CNI plugin's files",
          remedy:
            'Keep one of them off: a cluster is taken over node by node, by labels, as docs/migrate-from-calico.md says',
        },
      ];
    });
  },
};

const datastoreReady: Check<ClusterFacts> = {
  name: 'datastore-not-ready',
  asks: "Calico's objects may be used: nobody has stopped them for a migration",
  look: ({ information }) =>
    information?.spec?.datastoreReady === false
      ? [
          {
            severity: 'error',
            what: 'The datastore is said not to be ready',
            where: 'ClusterInformation "default"',
            why: 'The CNI plugin sets up no pod and takes down none until it is; a migration does so while it copies addresses',
            remedy:
              'End the migration, or give it up with --abort: calicoctl migrate-from-calico; where there is none: kubectl patch clusterinformations.projectcalico.org default --type merge -p \'{"spec":{"datastoreReady":true}}\'',
          },
        ]
      : [],
};

const networkReady: Check<ClusterFacts> = {
  name: 'network-unavailable',
  asks: 'every node says that its network is available',
  look: ({ ipam }) =>
    ipam.nodes.flatMap(({ metadata, status }) => {
      const condition = status?.conditions?.find(({ type }) => type === 'NetworkUnavailable');
      if (condition?.status !== 'True') return [];
      return [
        {
          severity: 'error' as const,
          what: 'The node says that its network is not available, so no pods are placed there',
          where: `node "${metadata.name}"`,
          why: condition.message || condition.reason || 'it gives no reason',
          remedy: `See whether calico-node is ready there: kubectl get pods -A -l k8s-app=${nodeLabel} -o wide --field-selector spec.nodeName=${metadata.name}`,
        },
      ];
    }),
};

const oneVersion: Check<ClusterFacts> = {
  name: 'versions-differ',
  asks: 'all programs are of one version',
  look({ version, information, calicoPods }) {
    const versions = new Map<string, string[]>();
    const note = (text: string | undefined, who: string) => {
      const plain = text?.replace(/^v/, '');
      if (plain) versions.set(plain, [...(versions.get(plain) ?? []), who]);
    };
    note(version, 'this calicoctl');
    note(information?.spec?.calicoVersion, 'the cluster (ClusterInformation "default")');
    for (const pod of calicoPods) {
      for (const { name, image } of containersOf(pod)) {
        if (!ownContainers.test(name)) continue;
        note(tagOf(image), `pod ${pod.metadata.namespace}/${pod.metadata.name}`);
      }
    }
    if (versions.size < 2) return [];
    const list = [...versions].map(([text, who]) => `${text}: ${[...new Set(who)].slice(0, 3).join(', ')}`);
    return [
      {
        severity: 'warning',
        what: 'Programs of several versions work in this cluster',
        where: 'the cluster',
        why: `${list.join('; ')}. They may read settings and data differently`,
        remedy:
          'Finish the upgrade: apply the manifest of one version, and use the calicoctl of that version',
      },
    ];
  },
};

export const agentChecks = [
  agentOnEveryNode,
  oneAgentPerNode,
  agentsReady,
  datastoreReady,
  networkReady,
  oneVersion,
];

export function isAgent({ metadata }: CalicoPod): boolean {
  return metadata.labels?.['k8s-app'] === nodeLabel;
}

function saysCalicoIsUp(status: Node['status']): boolean {
  return (
    status?.conditions?.some(
      ({ type, status: is, reason }) =>
        type === 'NetworkUnavailable' && is === 'False' && reason === 'CalicoIsUp',
    ) ?? false
  );
}

export function isReady({ status }: CalicoPod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

function containersOf({ status }: CalicoPod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

function reasonsOf(pod: CalicoPod): string[] {
  const ofContainers = containersOf(pod).flatMap(({ name, state, lastState, restartCount = 0 }) => {
    const { waiting } = state ?? {};
    const ended = lastState?.terminated;
    const words = [
      ...(waiting
        ? [`${waiting.reason ?? 'waits'}${waiting.message ? `: ${waiting.message.trim()}` : ''}`]
        : []),
      ...(ended && restartCount > 0
        ? [
            `it ended ${restartCount} times, last with ${ended.reason ?? 'code'} ${ended.exitCode ?? ''}`.trim(),
          ]
        : []),
    ];
    return words.map((word) => `container "${name}": ${word}`);
  });
  const ofPod = (pod.status?.conditions ?? [])
    .filter(({ status, message }) => status === 'False' && message)
    .map(({ message = '' }) => message);
  return [...new Set([...ofContainers, ...ofPod])];
}

/** Undefined for an image that is named by digest alone. */
function tagOf(image: string | undefined): string | undefined {
  const tag = /:([^:/@]+)(@.*)?$/.exec(image ?? '')?.[1];
  return tag && /^v?\d/.test(tag) ? tag : undefined;
}
