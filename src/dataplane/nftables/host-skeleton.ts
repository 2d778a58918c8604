// The base chains of a node that has host endpoints.
//
//   raw prerouting     cali-untracked-in            what shall have no connection (where there is such a policy): early-chains.ts
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
// Behind those that judge stand their likes for what a change has overtaken: see overtaken.ts.
//
// A reply is asked of the interface that its opposite would have used. Policies before translation are asked again in the
// later places, because of a connection's untranslated destination every packet of it can tell: so replies are judged, too.
import type { HostEndpointProgram } from '../../calc/index.ts';
import { type Chain, type Expression, type Hook, registers } from '../../kernel/index.ts';
import { hostU32 } from './bytes.ts';
import {
  dropEarlyToPods,
  earlyRules,
  isLoopback,
  isPermittedEarly,
  isPermittedUntracked,
  linkRules,
} from './early-chains.ts';
import { defaultFailsafePorts, type FailsafePorts, turnedFailsafeMatches } from './failsafe.ts';
import { HostQuestions } from './host-questions.ts';
import { isJudged } from './judgement.ts';
import { defaultMarks, type Marks } from './marks.ts';
import { jump, verdict } from './matches.ts';
import { chains, type HostPlace, hostChains } from './names.ts';
import { decide, isJudgedAgain } from './overtaken.ts';
import { clearBits } from './packet-mark.ts';
import { goes, isForeignWorkload, isInState, isWorkload } from './packet-tests.ts';
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

/** IPS_DST_NAT of linux/netfilter/nf_conntrack_common.h */
const isTranslated: readonly Expression[] = [
  { kind: 'ct', key: 'status', to: register },
  { kind: 'bitwise', from: register, to: register, mask: hostU32(0x20), xor: hostU32(0) },
  { kind: 'cmp', comparison: '!=', register, value: hostU32(0) },
];

/** It came in by some interface: the node did not make it. */
const isForwarded: readonly Expression[] = [
  { kind: 'meta', key: 'iif', to: register },
  { kind: 'cmp', comparison: '!=', register, value: hostU32(0) },
];

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
  const questions = new HostQuestions(programs, path.foreignWorkloads);
  const judgeSentBy = (places: Readonly<Record<'in' | 'out', HostPlace>>) => [
    [...isInState('related'), accept],
    ...questions.ask(places.in, 'oifname', goes('reply')),
    [...goes('reply'), accept],
    ...questions.ask(places.out, 'oifname'),
    [accept],
  ];
  const judgeSent = judgeSentBy({ in: 'normalIn', out: 'normalOut' });
  const judged = [...isJudged(marks), accept];
  const isSettled = [...isJudgedAgain(marks, false), accept];
  const isPermittedIn = isPermittedEarly(marks, questions, 'In');
  const isPermittedOut = isPermittedEarly(marks, questions, 'Out');

  const acceptOthers = [
    [...isForwarded, accept],
    [...isWorkload('oifname'), accept],
    ...path.foreignWorkloads.map((prefix) => [...isForeignWorkload('oifname', prefix), accept]),
  ];
  // The kernel rejects nothing behind postrouting.
  const judgeTranslated = (
    mayReject(path) ? judgeSentBy({ in: 'translatedIn', out: 'translatedOut' }) : judgeSent
  ).map((expressions) => [...isTranslated, ...expressions]);
  const judgeForwardOut = [
    ...questions.ask('forwardOut', 'iifname', goes('reply')),
    [...goes('reply'), accept],
    ...questions.ask('forwardOut', 'oifname'),
  ];
  const judgeForwardIn = [
    ...questions.ask('forwardIn', 'oifname', goes('reply')),
    ...questions.preDNATOfPods('oifname', goes('reply')),
    [...goes('reply'), accept],
    ...questions.ask('forwardIn', 'iifname'),
    ...questions.preDNATOfPods('iifname'),
  ];

  const rules = new Map<string, readonly Expression[][]>([
    [
      chains.fromHostEndpoint,
      [
        [...isPermittedIn, accept],
        ...linkRules,
        // What tells the node itself that its own packet was rejected.
        ...(mayReject(path) ? [[...isInState('related'), ...isLoopback('iifname'), accept]] : []),
        ...overlayRules('source', path),
        ...questions.ask('normalOut', 'iifname', goes('reply')),
        [...goes('reply'), accept],
        ...questions.ask('normalIn', 'iifname'),
        [accept],
      ],
    ],
    [
      chains.toHostEndpoint,
      [
        [...isPermittedOut, accept],
        ...linkRules,
        ...overlayRules('destination', path),
        [...isTranslated, accept],
        ...judgeSent,
      ],
    ],
    [hostChains.translated, [judged, ...acceptOthers, ...judgeTranslated]],
    [hostChains.translatedOvertaken, [...acceptOthers, ...decide(marks)]],
    [
      hostChains.translatedAgain,
      [...acceptOthers, isSettled, [...isPermittedOut, accept], ...judgeTranslated],
    ],
    [hostChains.forwardEgress, [judged, ...judgeForwardOut]],
    [
      hostChains.forwardEgressAgain,
      [
        isSettled,
        ...questions.ask('forwardOut', 'oifname', isPermittedIn),
        [...isPermittedIn, accept],
        ...judgeForwardOut,
      ],
    ],
    [
      hostChains.forwardIngress,
      [
        judged,
        [...isJudgedAgain(marks), accept],
        [...isPermittedUntracked(marks), accept],
        ...judgeForwardIn,
      ],
    ],
    [
      hostChains.forwardIngressAgain,
      [isSettled, ...dropEarlyToPods(marks, questions), [...isPermittedIn, accept], ...judgeForwardIn],
    ],
    ...earlyRules(marks, questions, acceptOthers),
    // What the node says to itself has yet to be judged on its way in.
    [
      hostChains.outputDone,
      [
        clearBits(marks),
        judged,
        [...isInState('related'), accept],
        [...isLoopback('oifname'), accept],
        ...turnedFailsafeMatches(failsafe.inbound, connection, 'receiver').map((match) => [...match, accept]),
        [jump(chains.hostMark.done)],
      ],
    ],
  ]);
  return { bases: bases.filter(({ name }) => rules.has(name)), rules };
}

/** Then what was translated on its way out has chains of its own, which do not. */
export function mayReject({ denyAction }: PathOptions): boolean {
  return denyAction === 'Reject';
}

function base(name: string, hook: Hook['hook'], priority: number): Chain {
  return { name, hook: { type: 'filter', hook, priority, policy: 'accept' } };
}

/** Connections are tracked at -200, destinations translated at -100, sources at 100. The others of ours are at -20 and after. */
const bases: readonly Chain[] = [
  base(hostChains.untrackedIn, 'prerouting', -298),
  base(hostChains.untrackedInAgain, 'prerouting', -297),
  base(hostChains.untrackedInDone, 'prerouting', -296),
  base(hostChains.untrackedOut, 'output', -298),
  base(hostChains.untrackedOutAgain, 'output', -297),
  base(hostChains.untrackedOutDone, 'output', -296),
  base(hostChains.preDNAT, 'prerouting', -150),
  base(hostChains.preDNATOvertaken, 'prerouting', -149),
  base(hostChains.preDNATEarlyAgain, 'prerouting', -148),
  base(hostChains.preDNATAgain, 'prerouting', -147),
  base(hostChains.forwardEgress, 'forward', -22),
  base(hostChains.forwardIngress, 'forward', -21),
  base(hostChains.forwardEarlyAgain, 'forward', -17),
  base(hostChains.forwardEgressAgain, 'forward', -16),
  base(hostChains.forwardIngressAgain, 'forward', -15),
  base(hostChains.inputEarlyAgain, 'input', -17),
  base(hostChains.outputEarlyAgain, 'output', -17),
  base(hostChains.translated, 'postrouting', -20),
  base(hostChains.translatedOvertaken, 'postrouting', -18),
  base(hostChains.translatedEarlyAgain, 'postrouting', -17),
  base(hostChains.translatedAgain, 'postrouting', -16),
  base(hostChains.outputDone, 'postrouting', -9),
];
