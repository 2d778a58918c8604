// What is asked of one host endpoint, as chains: in each place its failsafe ports first, then its tiers, then what follows.
import type { HostEndpointProgram, TierProgram } from '../../calc/index.ts';
import type { Expression, TupleDirection } from '../../kernel/index.ts';
import type { Direction } from '../../policy/index.ts';
import {
  defaultFailsafePorts,
  type FailsafePorts,
  failsafeMatches,
  turnedFailsafeMatches,
} from './failsafe.ts';
import { hasChain } from './host-questions.ts';
import type { HostSkeletonOptions } from './host-skeleton.ts';
import { defaultMarks, type Marks } from './marks.ts';
import { counter, goTo, jump, verdict } from './matches.ts';
import { chains, type HostPlace, hostChain, type PolicyWay, policyChain } from './names.ts';
import { againBit, hasBits, untrackedBit } from './packet-mark.ts';
import { isInState } from './packet-tests.ts';
import { defaultPath } from './path/index.ts';
import { type TierChains, tierRules } from './tier-rules.ts';
import { untranslated, viewOf } from './views.ts';

const accept = verdict('accept');
const drop = verdict('drop');
const dropInvalid: Expression[] = [...isInState('invalid'), counter, drop];

/** Policies about what is forwarded judge connections: what was let pass without one at the other interface goes no further. */
const dropUntracked = (marks: Marks): Expression[][] => [
  [...isInState('untracked'), counter, drop],
  // Where it is judged again, it may have been let pass without a connection although it has one.
  [...hasBits(marks, againBit), ...hasBits(marks, untrackedBit), counter, drop],
];

/** The rules of each of the chains of a host endpoint in one place; none where everything is accepted. */
export function hostEndpointRules(
  place: HostPlace,
  interfaceName: string,
  program: HostEndpointProgram,
  { failsafe = defaultFailsafePorts, marks = defaultMarks, path = defaultPath }: HostSkeletonOptions,
): Expression[][][] {
  const { normal, forward, untracked, preDNAT, afterTiers } = program;
  const build = (
    opening: Expression[][],
    parts: readonly TierProgram[][],
    direction: Direction,
    last: Expression[],
    { way, deny = chains.deny }: { readonly way?: PolicyWay | undefined; readonly deny?: string } = {},
  ) => {
    const names: TierChains = {
      policyOf: (key) => policyChain(key, direction, way),
      nameOf: (n) => hostChain(place, interfaceName, n),
      deny,
    };
    return joined(opening, parts, names, last, failsafe, marks);
  };
  const deny = chains.denySilently;
  const silently = { way: path.denyAction === 'Reject' ? ('silent' as const) : undefined, deny };
  const untrackedIn = (way?: TupleDirection) =>
    build(untrackedFailsafe('in', failsafe, way), [[], [...untracked.ingress]], 'ingress', [accept], {
      way,
      deny,
    });
  const untrackedOut = (way?: TupleDirection) =>
    build(untrackedFailsafe('out', failsafe, way), [[], [...untracked.egress]], 'egress', [accept], {
      way,
      deny,
    });
  const endBy = (name: string) => (afterTiers === 'Allow' ? [accept] : [counter, goTo(name)]);
  const fromFailsafe = [dropInvalid, [jump(chains.failsafe.ingress)]];
  const toFailsafe = [dropInvalid, [jump(chains.failsafe.egress)]];
  if (!hasChain(place, program)) return [];
  switch (place) {
    case 'normalIn':
      return build(fromFailsafe, [[...preDNAT], [...normal.ingress]], 'ingress', endBy(chains.deny));
    case 'translatedIn':
      return build(fromFailsafe, [[...preDNAT], [...normal.ingress]], 'ingress', endBy(deny), silently);
    case 'normalOut':
      return build(toFailsafe, [[], [...normal.egress]], 'egress', endBy(chains.deny));
    case 'translatedOut':
      return build(toFailsafe, [[], [...normal.egress]], 'egress', endBy(deny), silently);
    case 'forwardIn':
      return build([dropInvalid], [[...preDNAT], [...forward.ingress]], 'ingress', [accept]);
    case 'forwardOut':
      return build([dropInvalid, ...dropUntracked(marks)], [[], [...forward.egress]], 'egress', [accept]);
    case 'preDNAT':
      return build([], [[...preDNAT], []], 'ingress', [accept]);
    case 'untrackedIn':
      return untrackedIn();
    case 'untrackedInOriginal':
      return untrackedIn('original');
    case 'untrackedInReply':
      return untrackedIn('reply');
    case 'untrackedOut':
      return untrackedOut();
    case 'untrackedOutOriginal':
      return untrackedOut('original');
    case 'untrackedOutReply':
      return untrackedOut('reply');
  }
}

/**
 * Two lists of tiers, one after the other. The first, which is asked about untranslated destinations, is passed over by what
 * is failsafe there; its policies are asked before routing, too, and so they deny silently everywhere.
 */
function joined(
  opening: Expression[][],
  [before = [], after = []]: readonly TierProgram[][],
  names: TierChains,
  last: Expression[],
  { inbound, outbound }: FailsafePorts,
  marks: Marks,
): Expression[][][] {
  if (before.length === 0) return opened(opening, tierRules(after, names, last, marks));
  const early: TierChains = {
    ...names,
    policyOf: (key) => policyChain(key, 'ingress'),
    deny: chains.denySilently,
  };
  const count = tierRules(before, early, [], marks).length;
  const next = goTo(names.nameOf(count));
  const skip = [
    ...failsafeMatches(inbound, untranslated, { port: 'receiver', net: 'sender' }),
    ...turnedFailsafeMatches(outbound, untranslated, 'sender'),
  ].map((match) => [...match, next]);
  const first = tierRules(before, early, [next], marks);
  const rest = tierRules(after, { ...names, nameOf: (n) => names.nameOf(count + n) }, last, marks);
  return [...opened([...opening, ...skip], first), ...rest];
}

function opened(opening: Expression[][], [first = [], ...rest]: Expression[][][]): Expression[][][] {
  return [[...opening, ...first], ...rest];
}

/** Both halves of a failsafe conversation stay tracked, or one of them would have no connection to belong to. */
function untrackedFailsafe(
  way: 'in' | 'out',
  { inbound, outbound }: FailsafePorts,
  going: TupleDirection | undefined,
): Expression[][] {
  const view = viewOf('untracked', going);
  const [toPort, fromPort] = way === 'in' ? [inbound, outbound] : [outbound, inbound];
  // The other end is who sends what comes in, and who receives what goes out.
  const net = way === 'in' ? 'sender' : 'receiver';
  return [
    ...failsafeMatches(toPort, view, { port: 'receiver', net }),
    ...failsafeMatches(fromPort, view, { port: 'sender', net }),
  ].map((match) => [...match, accept]);
}
