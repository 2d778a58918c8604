// What host endpoints are asked before a packet is routed: policies about packets that shall have no connection, and those about
// untranslated destinations.
//
// A change may come when a packet has been asked here by what was, and is yet to be asked the rest by what is. So the same is asked
// once more in front of the chains "again" that follow, of whatever a change has overtaken since it came to the node, and together
// with them: behind prerouting of the connection, which knows what the packet was before it was translated. What is allowed there
// without a connection has "taken out of connection tracking" on its mark, although it is tracked.
import { type Expression, registers } from '../../kernel/index.ts';
import { interfaceNameBytes } from './bytes.ts';
import type { HostQuestions } from './host-questions.ts';
import { isJudged } from './judgement.ts';
import type { Marks } from './marks.ts';
import { counter, jump, verdict } from './matches.ts';
import { chains, type HostPlace, hostChains, hostDispatch } from './names.ts';
import { decide, isJudgedAgain, keepStamp } from './overtaken.ts';
import { againBit, hasBits, passBit, untrackedBit, writeBits } from './packet-mark.ts';
import {
  dispatch,
  goes,
  type InterfaceKey,
  isIcmp6,
  isInState,
  isNoWorkload,
  isWorkload,
  linkTypes,
  routerTypes,
} from './packet-tests.ts';

type Rules = readonly Expression[][];

const register = registers.wide(0);
const accept = verdict('accept');

/** Without it there is no IPv6 on the link, whatever policies allow. */
export const linkRules: Rules = [...linkTypes, ...routerTypes].map((type) => [...isIcmp6(type), accept]);

export const isLoopback = (key: InterfaceKey): Expression[] => [
  { kind: 'meta', key, to: register },
  { kind: 'cmp', comparison: '==', register, value: interfaceNameBytes('lo') },
];

/** Whom policies have let pass without a connection before it was routed, or was sent. */
export const isPermittedUntracked = (marks: Marks): Expression[] => [
  ...isInState('untracked'),
  ...hasBits(marks, untrackedBit),
];

/** The same and, where packets are judged again, whom they let pass now. */
export function isPermittedEarly(marks: Marks, questions: HostQuestions, way: 'In' | 'Out'): Expression[] {
  return questions.has(`untracked${way}`) ? hasBits(marks, untrackedBit) : isPermittedUntracked(marks);
}

/** What is let pass without a connection reaches no pod: pods are open to connections alone. */
export function dropEarlyToPods(marks: Marks, questions: HostQuestions): Rules {
  if (!questions.has('untrackedIn')) return [];
  const isToPod = [...isNoWorkload('iifname', []), ...isWorkload('oifname')];
  return [[...isToPod, ...hasBits(marks, untrackedBit), counter, verdict('drop')]];
}

/** Rules by base chain, of those that are needed; `acceptOthers` are those for what leaves by an interface of pods, or was not sent here. */
export function earlyRules(marks: Marks, questions: HostQuestions, acceptOthers: Rules): Map<string, Rules> {
  const rules = new Map<string, Rules>();
  const isSettled = [...isJudgedAgain(marks, false), accept];
  const untracked = (way: 'In' | 'Out', key: InterfaceKey) => {
    if (!questions.has(`untracked${way}`)) return;
    const ask = [...linkRules, dispatch(key, hostDispatch(`untracked${way}`))];
    rules.set(hostChains[`untracked${way}`], [
      // Others may have written our bits, and nobody may have stamped the packet.
      writeBits(marks, untrackedBit | passBit | againBit, 0),
      ...ask,
    ]);
    rules.set(hostChains[`untracked${way}Again`], [
      ...decide(marks),
      writeBits(marks, untrackedBit, 0),
      ...ask,
    ]);
    rules.set(hostChains[`untracked${way}Done`], [[...hasBits(marks, untrackedBit), { kind: 'notrack' }]]);
  };
  untracked('In', 'iifname');
  untracked('Out', 'oifname');

  const isNew = [
    [...goes('reply'), accept],
    [...isInState('related'), accept],
    [...isPermittedUntracked(marks), accept],
  ];
  const preDNAT = [...isNew, ...questions.ask('preDNAT', 'iifname'), ...questions.preDNATOfPods('iifname')];
  rules.set(hostChains.preDNAT, [
    [...isJudged(marks), accept],
    keepStamp(marks),
    // What the node says to itself has begun to be judged on its way out.
    [...isLoopback('iifname'), accept],
    [jump(chains.hostMark.begin)],
    ...(questions.has('preDNAT') ? preDNAT : []),
  ]);
  if (questions.has('preDNAT')) {
    rules.set(hostChains.preDNATOvertaken, decide(marks));
    if (questions.has('untrackedIn'))
      rules.set(hostChains.preDNATEarlyAgain, [
        isSettled,
        [...isPermittedUntracked(marks), accept],
        writeBits(marks, untrackedBit, 0),
        ...linkRules,
        dispatch('iifname', hostDispatch('untrackedIn')),
      ]);
    rules.set(hostChains.preDNATAgain, [
      isSettled,
      [...isLoopback('iifname'), accept],
      [...isPermittedEarly(marks, questions, 'In'), accept],
      ...preDNAT,
    ]);
  }

  /** Whatever is asked accepts, denies, or notes that it needs no connection: the chains that follow read that. */
  const later = (way: 'In' | 'Out', key: InterfaceKey): Rules => [
    isSettled,
    [...isPermittedUntracked(marks), accept],
    writeBits(marks, untrackedBit, 0),
    ...(questions.has(`untracked${way}`) ? [...linkRules, ...askAsSent(way, key)] : []),
  ];
  if (questions.has('untrackedIn')) rules.set(hostChains.forwardEarlyAgain, later('In', 'iifname'));
  // By those before translation the chains that follow ask all but pods that speak to their node.
  const ofPods = questions.preDNATOfPods('iifname');
  if (questions.has('untrackedIn') || ofPods.length > 0)
    rules.set(hostChains.inputEarlyAgain, [...later('In', 'iifname'), ...isNew, ...ofPods]);
  if (questions.has('untrackedOut')) {
    rules.set(hostChains.outputEarlyAgain, later('Out', 'oifname'));
    rules.set(hostChains.translatedEarlyAgain, [...acceptOthers, ...later('Out', 'oifname')]);
  }
  return rules;
}

/** By the packet as its sender made it: what its connection says of its direction, or where it has none, what it is now. */
function askAsSent(way: 'In' | 'Out', key: InterfaceKey): Rules {
  const ask = (going: 'Original' | 'Reply' | '') => {
    const place: HostPlace = `untracked${way}${going}`;
    return dispatch(key, hostDispatch(place));
  };
  return [
    // What belongs to a connection without being of it, as errors do.
    [...isInState('related'), ...ask('')],
    [...goes('original'), ...ask('Original')],
    [...goes('reply'), ...ask('Reply')],
    ask(''),
  ];
}
