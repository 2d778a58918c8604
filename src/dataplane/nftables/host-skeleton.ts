// The base chains of a node that has host endpoints, and how packets find these: by the interface's name, and else by the one
// that stands for all interfaces, if there is one.
//
//   raw prerouting     cali-untracked-in            what shall have no connection (where there is such a policy)
//   raw output         cali-untracked-out
//   mangle prerouting  cali-pre-dnat                judgement begins; policies about untranslated destinations
//   forward            cali-host-forward-egress     the interface that it goes out by
//                      cali-host-forward-ingress    the interface that it came in by, then the pods at either end
//   input              cali-from-host-endpoint      (called by cali-input-host)
//                      cali-input-done              judgement ends (there on every node)
//   output             cali-to-host-endpoint        (called by cali-output)
//   postrouting        cali-output-translated       the same for what was translated on its way out, and goes elsewhere now
//                      cali-output-done             judgement ends, also of what is forwarded
//
// Behind those that judge in the last three hooks stand their likes for what a change has overtaken: see overtaken.ts.
//
// A reply is asked of the interface that its opposite would have used. Policies before translation are asked again in the
// later places, because of a connection's untranslated destination every packet of it can tell: so replies are judged, too.
import type { HostEndpointProgram } from '../../calc/index.ts';
import { type Chain, type Expression, type Hook, registers } from '../../kernel/index.ts';
import { hostU32, interfaceNameBytes } from './bytes.ts';
import { defaultFailsafePorts, type FailsafePorts, turnedFailsafeMatches } from './failsafe.ts';
import { isJudged } from './judgement.ts';
import { defaultMarks, type Marks } from './marks.ts';
import { goTo, jump, verdict } from './matches.ts';
import { chains, type HostPlace, hostChain, hostChains, hostDispatch } from './names.ts';
import { judgesAgain, stampExpressions } from './overtaken.ts';
import { clearBits, hasBits, untrackedBit } from './packet-mark.ts';
import {
  dispatch,
  goes,
  type InterfaceKey,
  isForeignWorkload,
  isIcmp6,
  isInState,
  isNoWorkload,
  isWorkload,
  linkTypes,
  routerTypes,
} from './packet-tests.ts';
import {
  defaultPath,
  hasDestinationPort,
  isEndIn,
  isEndInNet,
  isOfFamily,
  isOfProtocol,
  networkSetName,
  type PathOptions,
} from './path/index.ts';
import { connection } from './views.ts';

/** The chains of a node's host endpoints that do not belong to one of them. */
export interface HostSkeleton {
  readonly bases: readonly Chain[];
  /** Rules by chain, of these and of those that are always there. */
  readonly rules: ReadonlyMap<string, readonly Expression[][]>;
}

const register = registers.wide(0);
const accept = verdict('accept');

const isPermittedUntracked = (marks: Marks): Expression[] => [
  ...isInState('untracked'),
  ...hasBits(marks, untrackedBit),
];

/** IPS_DST_NAT of linux/netfilter/nf_conntrack_common.h */
const isTranslated: readonly Expression[] = [
  { kind: 'ct', key: 'status', to: register },
  { kind: 'bitwise', from: register, to: register, mask: hostU32(0x20), xor: hostU32(0) },
  { kind: 'cmp', comparison: '!=', register, value: hostU32(0) },
];

const isLoopback = (key: InterfaceKey): Expression[] => [
  { kind: 'meta', key, to: register },
  { kind: 'cmp', comparison: '==', register, value: interfaceNameBytes('lo') },
];

/** It came in by some interface: the node did not make it. */
const isForwarded: readonly Expression[] = [
  { kind: 'meta', key: 'iif', to: register },
  { kind: 'cmp', comparison: '!=', register, value: hostU32(0) },
];

/** Without it there is no IPv6 on the link, whatever policies allow. */
const linkRules: readonly Expression[][] = [...linkTypes, ...routerTypes].map((type) => [
  ...isIcmp6(type),
  accept,
]);

/** The overlay's own packets, between nodes: what they carry is judged when it is unwrapped. */
function overlayRules(side: 'source' | 'destination', { vxlan, externalNodes }: PathOptions): Expression[][] {
  return vxlan.families.flatMap((family) => {
    const isVxlan = [...isOfFamily(family), ...isOfProtocol(17), ...hasDestinationPort(vxlan.port)];
    const nets = externalNodes.filter((net) => net.family === family);
    return [
      isEndIn(family, side, networkSetName('nodes', family)),
      ...nets.map((net) => isEndInNet(side, net)),
    ].map((isNode) => [...isVxlan, ...isNode, accept]);
  });
}

export interface HostSkeletonOptions {
  /** Upstream's defaults when absent. */
  readonly path?: PathOptions;
  /** Upstream's default when absent. */
  readonly marks?: Marks;
  /** Upstream's when absent. */
  readonly failsafe?: FailsafePorts;
}

/** `programs` are those of the state, by interface. Without any there are no base chains, and what is asked accepts. */
export function hostSkeleton(
  programs: ReadonlyMap<string, HostEndpointProgram>,
  { path = defaultPath, marks = defaultMarks, failsafe = defaultFailsafePorts }: HostSkeletonOptions,
): HostSkeleton {
  if (programs.size === 0)
    return {
      bases: [],
      rules: new Map([chains.fromHostEndpoint, chains.toHostEndpoint].map((name) => [name, [[accept]]])),
    };
  const all = programs.get('*');
  const any = (has: (program: HostEndpointProgram) => boolean) => [...programs.values()].some(has);
  const hasUntracked = any(({ untracked }) => untracked.ingress.length + untracked.egress.length > 0);
  const hasPreDNAT = any(({ preDNAT }) => preDNAT.length > 0);
  const has = (place: HostPlace) => all !== undefined && hasChain(place, all);

  /** The map's word, else that of the endpoint of all interfaces. Nothing of pods' interfaces, which have none. */
  const ask = (place: HostPlace, key: InterfaceKey, when: Expression[] = []): Expression[][] => [
    [...when, ...dispatch(key, hostDispatch(place))],
    ...(has(place)
      ? [[...when, ...isNoWorkload(key, path.foreignWorkloads), goTo(hostChain(place, '*', 0))]]
      : []),
  ];
  const judgeSent = [
    [...isInState('related'), accept],
    ...ask('normalIn', 'oifname', goes('reply')),
    [...goes('reply'), accept],
    ...ask('normalOut', 'oifname'),
    [accept],
  ];
  const passUntracked = hasUntracked ? [[...isPermittedUntracked(marks), accept]] : [];
  const judged = [...isJudged(marks), accept];
  const again = judgesAgain(marks);
  // Before translation pods' packets are asked, too: a node port is the node's, whoever calls it.
  const preDNATOfPods = (key: InterfaceKey, when: Expression[] = []) =>
    has('preDNAT') ? [[...when, ...isWorkload(key), goTo(hostChain('preDNAT', '*', 0))]] : [];

  const judgeTranslated = [
    [...isForwarded, accept],
    [...isWorkload('oifname'), accept],
    ...path.foreignWorkloads.map((prefix) => [...isForeignWorkload('oifname', prefix), accept]),
    ...judgeSent.map((expressions) => [...isTranslated, ...expressions]),
  ];
  const judgeForwardOut = [
    ...ask('forwardOut', 'iifname', goes('reply')),
    [...goes('reply'), accept],
    ...ask('forwardOut', 'oifname'),
  ];
  const judgeForwardIn = [
    ...ask('forwardIn', 'oifname', goes('reply')),
    ...preDNATOfPods('oifname', goes('reply')),
    [...goes('reply'), accept],
    ...passUntracked,
    ...ask('forwardIn', 'iifname'),
    ...preDNATOfPods('iifname'),
  ];

  const rules = new Map<string, readonly Expression[][]>([
    [
      chains.fromHostEndpoint,
      [
        ...passUntracked,
        ...linkRules,
        ...overlayRules('source', path),
        ...ask('normalOut', 'iifname', goes('reply')),
        [...goes('reply'), accept],
        ...ask('normalIn', 'iifname'),
        [accept],
      ],
    ],
    [
      chains.toHostEndpoint,
      [
        ...passUntracked,
        ...linkRules,
        ...overlayRules('destination', path),
        [...isTranslated, accept],
        ...judgeSent,
      ],
    ],
    [hostChains.translated, [judged, ...judgeTranslated]],
    [hostChains.translatedAgain, [...again, ...judgeTranslated]],
    [hostChains.forwardEgress, [judged, ...judgeForwardOut]],
    [hostChains.forwardEgressAgain, [...again, ...judgeForwardOut]],
    [hostChains.forwardIngress, [judged, ...judgeForwardIn]],
    [hostChains.forwardIngressAgain, [...again, ...judgeForwardIn]],
    [
      hostChains.preDNAT,
      [
        judged,
        // Nothing is judged again that is denied here, nor has any policy passed it: others may have written our bits.
        stampExpressions(marks, 0),
        // What the node says to itself has begun to be judged on its way out.
        [...isLoopback('iifname'), accept],
        [jump(chains.hostMark.begin)],
        ...(hasPreDNAT
          ? [
              [...goes('reply'), accept],
              [...isInState('related'), accept],
              ...passUntracked,
              ...ask('preDNAT', 'iifname'),
              ...preDNATOfPods('iifname'),
            ]
          : []),
      ],
    ],
    // What the node says to itself has yet to be judged on its way in.
    [
      hostChains.outputDone,
      [
        stampExpressions(marks, 0),
        judged,
        [...isInState('related'), accept],
        [...isLoopback('oifname'), accept],
        ...turnedFailsafeMatches(failsafe.inbound, connection, 'receiver').map((match) => [...match, accept]),
        [jump(chains.hostMark.done)],
      ],
    ],
  ]);
  if (hasUntracked) {
    rules.set(hostChains.untrackedIn, [
      // Also a stamp of an earlier hook, by which what is denied here might be let go.
      clearBits(marks),
      ...linkRules,
      dispatch('iifname', hostDispatch('untrackedIn')),
    ]);
    rules.set(hostChains.untrackedOut, [
      clearBits(marks),
      ...linkRules,
      dispatch('oifname', hostDispatch('untrackedOut')),
    ]);
  }
  return { bases: bases.filter(({ name }) => rules.has(name)), rules };
}

/** Whether the endpoint has a say in that place. */
export function hasChain(place: HostPlace, { forward, untracked, preDNAT }: HostEndpointProgram): boolean {
  switch (place) {
    case 'normalIn':
    case 'normalOut':
      return true;
    case 'forwardIn':
      return preDNAT.length + forward.ingress.length > 0;
    case 'forwardOut':
      return forward.egress.length > 0;
    case 'preDNAT':
      return preDNAT.length > 0;
    case 'untrackedIn':
      return untracked.ingress.length > 0;
    case 'untrackedOut':
      return untracked.egress.length > 0;
  }
}

function base(name: string, hook: Hook['hook'], priority: number): Chain {
  return { name, hook: { type: 'filter', hook, priority, policy: 'accept' } };
}

/** Connections are tracked at -200, destinations translated at -100, sources at 100. The others of ours are at -20 and after. */
const bases: readonly Chain[] = [
  base(hostChains.untrackedIn, 'prerouting', -298),
  base(hostChains.untrackedOut, 'output', -298),
  base(hostChains.preDNAT, 'prerouting', -150),
  base(hostChains.forwardEgress, 'forward', -22),
  base(hostChains.forwardIngress, 'forward', -21),
  base(hostChains.forwardEgressAgain, 'forward', -18),
  base(hostChains.forwardIngressAgain, 'forward', -17),
  base(hostChains.translated, 'postrouting', -20),
  base(hostChains.translatedAgain, 'postrouting', -16),
  base(hostChains.outputDone, 'postrouting', -9),
];
