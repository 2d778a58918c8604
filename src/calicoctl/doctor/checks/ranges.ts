// Whether pools lie where the rest of the cluster takes pods to be, and not where Services are.
import { type Cidr, cidrsOverlap, parseCidr, tryParseCidr } from '../../../net/index.ts';
import type { IPPool } from '../../../resources/index.ts';
import { givesAddresses } from '../agent-settings.ts';
import type { ClusterFacts } from '../cluster-facts.ts';
import type { Check } from '../finding.ts';
import { isOpen, usesOf } from './addresses.ts';

const poolsAreOfPods: Check<ClusterFacts> = {
  name: 'pool-outside-cluster',
  asks: 'every pool for pods is of the range by which kube-proxy knows pods, or nodes have parts of it',
  look({ ipam, ranges, agentSettings }) {
    if (agentSettings.length > 0 && !agentSettings.some(givesAddresses)) return [];
    const ofNodes = ipam.nodes.flatMap(({ spec }) => spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : []));
    const known = (ranges.proxy ?? ofNodes).flatMap((text) => tryParseCidr(text) ?? []);
    return openPools(ipam.pools, 'Workload').flatMap(({ name, text, range }) => {
      const ofFamily = known.filter(({ family }) => family === range.family);
      // A node's part tells of the whole by lying in it.
      const isKnown = ofFamily.some((one) =>
        ranges.proxy ? includes(one, range) : cidrsOverlap(one, range),
      );
      if (ofFamily.length === 0 || isKnown) return [];
      const who = ranges.proxy
        ? `kube-proxy takes ${ranges.proxy.join(' and ')} for the range of pods`
        : `Nodes have ${few(ofNodes)} for pods, and kube-proxy most likely takes the range that these are of for that of pods`;
      return [
        {
          severity: 'warning' as const,
          what: `The pool's range ${text} is not one that the cluster was told is of pods`,
          where: `pool "${name}"`,
          why: `${who}: what its pods send to a Service comes to the pods behind it from a node's address, so policies that allow pods by label refuse it`,
          remedy:
            'Make a pool within the cluster\'s range, disable this one (kubectl patch ippool NAME --type=merge -p \'{"spec":{"disabled":true}}\') and make its pods again; or tell kube-proxy of it (clusterCIDR, --cluster-cidr; k3s: --cluster-cidr of the servers)',
        },
      ];
    });
  },
};

const poolsAreOfNoServices: Check<ClusterFacts> = {
  name: 'pool-over-services',
  asks: 'no pool overlaps with the range of Services',
  look: ({ ipam, ranges }) =>
    openPools(ipam.pools).flatMap(({ name, text, range }) => {
      const over = ranges.services.find((cidr) => {
        const parsed = tryParseCidr(cidr);
        return parsed && cidrsOverlap(parsed, range);
      });
      if (over === undefined) return [];
      return [
        {
          severity: 'error' as const,
          what: `The pool's range ${text} overlaps with that of Services (${over})`,
          where: `pool "${name}"`,
          why: 'A pod and a Service may have the same address: kube-proxy takes what is sent to the pod, or the pod cannot reach the Service',
          remedy: `Make a pool of another range, disable this one, and make the pods again that have addresses of it: calicoctl ipam show --show-blocks`,
        },
      ];
    }),
};

export const rangeChecks = [poolsAreOfPods, poolsAreOfNoServices];

function openPools(pools: readonly IPPool[], use?: string) {
  return pools
    .filter((pool) => isOpen(pool) && (use === undefined || usesOf(pool).includes(use)))
    .map(({ metadata, spec }) => ({ name: metadata.name, text: spec.cidr, range: parseCidr(spec.cidr) }));
}

function includes(outer: Cidr, inner: Cidr): boolean {
  return outer.length <= inner.length && cidrsOverlap(outer, inner);
}

function few(texts: readonly string[]): string {
  return `${texts.slice(0, 3).join(', ')}${texts.length > 3 ? ', ...' : ''}`;
}
