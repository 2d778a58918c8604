// Whether container runtimes find the network that Calico offers, and pods get it: as kubelets say, of their nodes and in events.
import { keyOf, type Pod } from '../../../resources/index.ts';
import type { Event } from '../../events.ts';
import type { ClusterFacts } from '../cluster-facts.ts';
import type { Check, Finding } from '../finding.ts';
import { isAgent, isReady } from './agents.ts';

const usual = { net: '/etc/cni/net.d', plugins: '/opt/cni/bin' };

const networkIsFound: Check<ClusterFacts> = {
  name: 'network-not-found',
  asks: 'no container runtime misses a network where calico-node is ready',
  look: ({ ipam, calicoPods, agentSettings }) =>
    ipam.nodes.flatMap(({ metadata, status }) => {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      const message = ready?.message ?? '';
      const isWithoutNetwork =
        ready?.status !== 'True' &&
        /NetworkPluginNotReady|cni (plugin not|config un)initialized/.test(message);
      const isOffered = calicoPods.some(
        (pod) => isAgent(pod) && isReady(pod) && pod.spec?.nodeName === metadata.name,
      );
      if (!isWithoutNetwork || !isOffered) return [];
      // CRI-O says where it looks.
      const folder = /configuration file in (\S+?)\/?[.,]?( |$)/.exec(message)?.[1];
      const written = namesOf(agentSettings, 'CNI_HOST_NET_DIR', usual.net);
      return [
        {
          severity: 'error' as const,
          what: 'The container runtime finds no network, although calico-node is ready',
          where: `node "${metadata.name}"`,
          why: message,
          remedy: `If it stays so for a minute, the runtime looks for CNI configurations ${folder ? `in ${folder}` : 'in another folder'}, and calico-node writes its own into ${written}: install Calico with cni.configurationFolder=${folder ?? 'FOLDER'} of the chart, in the manifest CNI_HOST_NET_DIR and the path of the volume "cni-net"; the folders of runtimes and distributions are in docs/install.md, and calicoctl doctor --local on the node reads them of the runtime's own configuration`,
        },
      ];
    }),
};

const podsAreSetUp: Check<ClusterFacts> = {
  name: 'pod-setup-fails',
  asks: 'pods that are placed on a node get a network there',
  look({ ipam, setupFailures, agentSettings }) {
    const pods = new Map(ipam.pods.map((pod) => [keyOf(pod), pod]));
    const latest = new Map<string, { readonly pod: Pod; readonly event: Event }>();
    for (const event of setupFailures.toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))) {
      const { namespace = '', name = '', uid } = event.involvedObject ?? {};
      const key = keyOf({ metadata: { namespace, name } });
      const pod = pods.get(key);
      // What failed once and has an address now is well; events outlive what they are about.
      const isOther = uid !== undefined && pod?.metadata.uid !== undefined && uid !== pod.metadata.uid;
      if (!pod || isOther || pod.status?.podIP || pod.metadata.deletionTimestamp) continue;
      latest.set(key, { pod, event });
    }
    const byReason = Map.groupBy(latest.values(), ({ pod, event }) =>
      JSON.stringify([pod.spec?.nodeName, reasonOf(event)]),
    );
    return [...byReason.values()].flatMap((alike) => {
      const [first] = alike;
      if (!first) return [];
      const node = first.pod.spec?.nodeName ?? first.event.source?.host ?? '';
      const names = alike.map(({ pod }) => `${pod.metadata.namespace}/${pod.metadata.name}`);
      return [
        {
          ...judge(reasonOf(first.event), node, namesOf(agentSettings, 'CNI_HOST_BIN_DIR', usual.plugins)),
          where: `node "${node}", pods ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`,
        },
      ];
    });
  },
};

export const setupChecks = [networkIsFound, podsAreSetUp];

/** @param installed Where Calico's own plugins were put. */
function judge(why: string, node: string, installed: string): Omit<Finding, 'check' | 'where'> {
  const [, plugin, path = ''] = /failed to find plugin "([^"]+)" in path \[([^\]]*)\]/.exec(why) ?? [];
  const [folder = 'FOLDER'] = path.split(/[ ,]+/).map((one) => one.replace(/(?<=.)\/$/, ''));
  if (plugin === 'calico' || plugin === 'calico-ipam') {
    return {
      severity: 'error',
      what: `The container runtime looks for Calico's CNI plugin in ${folder}, and does not find it there`,
      why,
      remedy:
        folder === installed
          ? `It was installed there and is gone; let install-cni run again: kubectl delete pod -A -l k8s-app=calico-node --field-selector spec.nodeName=${node}`
          : `It was installed in ${installed}: install Calico with cni.binFolder=${folder} of the chart, in the manifest the path of the volume "cni-bin"; or name ${installed} in the runtime's own configuration (containerd: bin_dir, CRI-O: plugin_dirs), and start it again`,
    };
  }
  if (plugin !== undefined) {
    return {
      severity: 'error',
      what: `The container runtime looks for the CNI plugin "${plugin}" in ${folder}, and does not find it there`,
      why,
      remedy: `Put it there: the distribution's package containernetworking-plugins has it (copy or link it out of its folder), so has Kubernetes' own package kubernetes-cni, and the archive at https://github.com/containernetworking/plugins/releases; or take it out of cni.chained of the chart`,
    };
  }
  return {
    severity: 'warning',
    what: 'Pods could not be set up when that was last tried',
    why,
    remedy: `See what calico-node says of it: kubectl logs -n NAMESPACE POD, as kubectl get pods -A -l k8s-app=calico-node --field-selector spec.nodeName=${node} names them`,
  };
}

/** What the runtime said, without what differs from one pod or attempt to the next. */
function reasonOf({ message = '' }: Event): string {
  const missing = /failed to find plugin "[^"]+" in path \[[^\]]*\]/.exec(message)?.[0];
  return missing ?? message.replace(/^.*?sandbox "[0-9a-f]+": /s, '').trim();
}

function timeOf({ metadata, lastTimestamp }: Event): string {
  return lastTimestamp ?? metadata.creationTimestamp ?? '';
}

/** Of calico-nodes that were set up differently, what each of them was told. */
function namesOf(settings: ClusterFacts['agentSettings'], variable: string, otherwise: string): string {
  const named = settings.map((one) => one[variable] ?? otherwise);
  return [...new Set(named.length > 0 ? named : [otherwise])].join(' or ');
}
