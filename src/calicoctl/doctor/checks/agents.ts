// Whether Calico's own programs run and are ready, on every node, in one version; and why not, as their kubelets say.
import type { CalicoPod, ClusterFacts, ContainerStatus } from '../cluster-facts.ts';
import type { Check } from '../finding.ts';

const nodeLabel = 'calico-node';

const agentOnEveryNode: Check<ClusterFacts> = {
  name: 'agent-missing',
  asks: 'every node has a calico-node',
  look({ ipam, calicoPods }) {
    const agents = calicoPods.filter(({ metadata }) => metadata.labels?.['k8s-app'] === nodeLabel);
    // Not installed as pods: nothing can be said of it from here.
    if (agents.length === 0) return [];
    const served = new Set(agents.map(({ spec }) => spec?.nodeName));
    return ipam.nodes
      .filter(({ metadata }) => !served.has(metadata.name))
      .map(({ metadata }) => ({
        severity: 'error',
        what: 'No calico-node runs on the node',
        where: `node "${metadata.name}"`,
        why: 'Pods there get no network, and policies are not enforced',
        remedy: `See why the DaemonSet places none: kubectl describe daemonset -A -l k8s-app=${nodeLabel}; a taint that it does not tolerate is the usual reason`,
      }));
  },
};

const agentsReady: Check<ClusterFacts> = {
  name: 'agent-not-ready',
  asks: "Calico's programs are ready",
  look: ({ calicoPods }) =>
    calicoPods.flatMap((pod) => {
      if (pod.metadata.deletionTimestamp || isReady(pod)) return [];
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
      for (const { image } of containersOf(pod))
        note(tagOf(image), `pod ${pod.metadata.namespace}/${pod.metadata.name}`);
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

export const agentChecks = [agentOnEveryNode, agentsReady, networkReady, oneVersion];

function isReady({ status }: CalicoPod): boolean {
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
