// Whether BGP sessions are up: of all nodes, where they report them in CalicoNodeStatus objects, and of this node by what BIRD says.
import type { ClusterFacts } from '../cluster-facts.ts';
import type { Check } from '../finding.ts';
import type { NodeFacts } from '../node-facts.ts';

const why = 'Routes to and from that peer are missing, or will be when its graceful restart ends';
const remedy = 'TCP port 179 must be open both ways, and AS numbers and passwords must agree';

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
          why,
          remedy: `See the reason with "calicoctl node status" on the node. ${remedy}`,
        }));
    }),
};

const birdIsWell: Check<NodeFacts> = {
  name: 'bgp-unwell',
  asks: "where this node speaks BGP, BIRD runs, its sessions are established, and all of BGP's objects can be used",
  look: ({ node, bgp }) => {
    if (!bgp) return [];
    const where = `node "${node}"`;
    const down = bgp.sessions.filter(({ state }) => state !== 'Established');
    return [
      ...(bgp.trouble === undefined
        ? []
        : [
            {
              severity: 'error' as const,
              what: `BGP is not as it should be: ${bgp.trouble}`,
              where,
              why: 'Other nodes and routers hear nothing new of where pods are, or nothing at all',
              remedy:
                'Look at the log of calico-node on this node; it starts BIRD again as soon as BIRD takes its configuration',
            },
          ]),
      ...down.map(({ peer, state, reason }) => ({
        severity: 'error' as const,
        what: `The BGP session with ${peer} is ${state}${reason ? `: ${reason}` : ''}`,
        where,
        why,
        remedy,
      })),
      ...bgp.faults.map(({ object, sentence }) => ({
        severity: 'warning' as const,
        what: `${object}: ${sentence}`,
        where,
        why: 'What it asks for is closed or left out',
        remedy: 'Correct the object and apply it again: calicoctl apply -f FILE',
      })),
    ];
  },
};

export const bgpChecks = [sessionsUp];
export const nodeBgpChecks = [birdIsWell];
