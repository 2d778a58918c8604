// Whether BGP sessions are up, where nodes report them in CalicoNodeStatus objects.
import type { ClusterFacts } from '../cluster-facts.ts';
import type { Check } from '../finding.ts';

const sessionsUp: Check<ClusterFacts> = {
  name: 'bgp-session-down',
  asks: 'every BGP session that nodes report is established',
  look: ({ nodeStatuses }) =>
    nodeStatuses.flatMap(({ metadata, spec, status }) => {
      const peers = [...(status?.bgp?.peersV4 ?? []), ...(status?.bgp?.peersV6 ?? [])];
      return peers
        .filter(({ state }) => state !== 'Established')
        .map(({ peerIP, state, type }) => ({
          severity: 'error' as const,
          what: `The BGP session with ${peerIP ?? 'a peer'}${type ? ` (${type})` : ''} is ${state ?? 'unknown'}`,
          where: `node "${spec.node ?? metadata.name}"`,
          why: 'Routes to and from that peer are missing, or will be when its graceful restart ends',
          remedy:
            'See the reason with "calicoctl node status" on the node; TCP port 179 must be open both ways, and AS numbers and passwords must agree',
        }));
    }),
};

export const bgpChecks = [sessionsUp];
