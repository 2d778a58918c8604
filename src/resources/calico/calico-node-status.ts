// CalicoNodeStatus: a request for facts about one node, and its answer: agents, BGP sessions, routes.
import type { Static } from 'typebox';
import { arrayOf, integer, object, oneOf, optional, string } from '../field.ts';
import type { Resource } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';

const atomic = { 'x-kubernetes-list-type': 'atomic' } as const;

const spec = object({
  node: optional(string({ description: 'The node to report on.' })),
  classes: optional(
    arrayOf(oneOf(['Agent', 'BGP', 'Routes']), {
      'x-kubernetes-list-type': 'set',
      description: 'What to report.',
    }),
  ),
  updatePeriodSeconds: optional(
    integer({
      format: 'int32',
      check: (seconds: unknown) => (Number(seconds) >= 0 ? undefined : 'must be at least 0'),
      description: 'How often to report; never when 0.',
    }),
  ),
});

function bird(family: string) {
  return optional(
    object(
      {
        state: optional(oneOf(['Ready', 'NotReady'], { description: 'Whether it works.' })),
        version: optional(string({ description: 'Version of BIRD.' })),
        routerID: optional(string({ description: 'Its BGP identifier.' })),
        lastBootTime: optional(string({ description: 'When it started.' })),
        lastReconfigurationTime: optional(string({ description: 'When it last read its configuration.' })),
      },
      { description: `BIRD for ${family}.` },
    ),
  );
}

function peers(family: string) {
  const peer = object({
    peerIP: optional(string({ description: 'Address of the peer.' })),
    type: optional(oneOf(['NodeMesh', 'NodePeer', 'GlobalPeer'], { description: 'Why the session exists.' })),
    state: optional(
      oneOf(['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established', 'Close'], {
        description: 'State of the session, as RFC 4271 names them.',
      }),
    ),
    since: optional(string({ description: 'When it came into this state.' })),
  });
  return optional(arrayOf(peer, { ...atomic, description: `Sessions over ${family}.` }));
}

function routes(family: string) {
  const route = object({
    type: optional(
      oneOf(['FIB', 'RIB'], { description: "In use by the kernel, or only in BIRD's own table." }),
    ),
    destination: optional(string({ description: 'The range.' })),
    gateway: optional(string({ description: 'The next hop.' })),
    interface: optional(string({ description: 'The way out.' })),
    learnedFrom: optional(
      object(
        {
          sourceType: optional(
            oneOf(['Kernel', 'Static', 'Direct', 'NodeMesh', 'BGPPeer'], {
              description: 'What kind of source.',
            }),
          ),
          peerIP: optional(string({ description: 'The peer, when it was one.' })),
        },
        { description: 'Where the route comes from.' },
      ),
    ),
  });
  return optional(arrayOf(route, { ...atomic, description: `Routes of ${family}.` }));
}

const sessions = (words: string) => integer({ description: `How many sessions ${words}.` });

const status = object({
  lastUpdated: optional(
    string({ format: 'date-time', nullable: true, description: 'When the node last reported.' }),
  ),
  agent: optional(
    object({ birdV4: bird('IPv4'), birdV6: bird('IPv6') }, { description: 'The routing programs.' }),
  ),
  bgp: optional(
    object(
      {
        numberEstablishedV4: sessions('over IPv4 are up'),
        numberNotEstablishedV4: sessions('over IPv4 are not up'),
        numberEstablishedV6: sessions('over IPv6 are up'),
        numberNotEstablishedV6: sessions('over IPv6 are not up'),
        peersV4: peers('IPv4'),
        peersV6: peers('IPv6'),
      },
      { description: 'BGP sessions.' },
    ),
  ),
  routes: optional(
    object({ routesV4: routes('IPv4'), routesV6: routes('IPv6') }, { description: 'Routes.' }),
  ),
});

export interface CalicoNodeStatus extends Resource {
  spec: Static<typeof spec>;
  status?: Static<typeof status>;
}

export const calicoNodeStatuses = calicoKind<CalicoNodeStatus>({
  kind: 'CalicoNodeStatus',
  plural: 'caliconodestatuses',
  description: 'A request for facts about one node, and its answer: routing programs, BGP sessions, routes.',
  columns: [
    { name: 'Node', jsonPath: '.spec.node' },
    { name: 'Classes', jsonPath: '.spec.classes' },
  ],
  example: {
    metadata: { name: 'node-1' },
    spec: { node: 'node-1', classes: ['Agent', 'BGP', 'Routes'], updatePeriodSeconds: 10 },
  },
  spec,
  status,
});
