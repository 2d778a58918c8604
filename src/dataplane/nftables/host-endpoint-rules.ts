// What is asked of one host endpoint, as chains: in each place its failsafe ports first, then its tiers, then what follows.
import type { HostEndpointProgram, TierProgram } from '../../calc/index.ts';
import type { Expression, TupleDirection } from '../../kernel/index.ts';
import type { Direction } from '../../policy/index.ts';
import { type FailsafePorts, failsafeMatches, turnedFailsafeMatches } from './failsafe.ts';
import { hasChain } from './host-questions.ts';
import type { Marks } from './marks.ts';
import { counter, goTo, jump, verdict } from './matches.ts';
import {
  chains,
  type HostPlace,
  hostChain,
  isOfTranslated,
  type PolicyVariant,
  policyChain,
} from './names.ts';
import { againBit, hasBits, untrackedBit } from './packet-mark.ts';
import { isInState } from './packet-tests.ts';
import { tierRules } from './tier-rules.ts';
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
  failsafe: FailsafePorts,
  marks: Marks,
): Expression[][][] {
  const { normal, forward, untracked, preDNAT, afterTiers } = program;
  const isTranslated = isOfTranslated(place);
  const deny = isTranslated || place.startsWith('untracked') ? chains.denySilently : chains.deny;
  const build = (
    opening: Expression[][],
    parts: readonly TierProgram[][],
    direction: Direction,
    last: Expression[],
    variant?: PolicyVariant,
  ) => {
    const names: ChainNames = {
      policyOf: (key) => policyChain(key, direction, variant),
      nameOf: (n) => hostChain(place, interfaceName, n),
      deny,
    };
    return joined(opening, parts, names, last, failsafe, marks);
  };
  const untrackedIn = (going?: TupleDirection) =>
    build(untrackedFailsafe('in', failsafe, going), [[], [...untracked.ingress]], 'ingress', [accept], going);
  const untrackedOut = (going?: TupleDirection) =>
    build(untrackedFailsafe('out', failsafe, going), [[], [...untracked.egress]], 'egress', [accept], going);
  const end = afterTiers === 'Allow' ? [accept] : [counter, goTo(deny)];
  const variant = isTranslated ? 'silent' : undefined;
  if (!hasChain(place, program)) return [];
  switch (place) {
    case 'normalIn':
    case 'translatedIn':
      return build(
        [dropInvalid, [jump(chains.failsafe.ingress)]],
        [[...preDNAT], [...normal.ingress]],
        'ingress',
        end,
        variant,
      );
    case 'normalOut':
    case 'translatedOut':
      return build(
        [dropInvalid, [jump(chains.failsafe.egress)]],
        [[], [...normal.egress]],
        'egress',
        end,
        variant,
      );
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

interface ChainNames {
  /** The chain of a policy by its key. */
  readonly policyOf: (key: string) => string;
  /** The n-th chain of the endpoint in its place, from 0. */
  readonly nameOf: (n: number) => string;
  /** The chain for what a tier denies. */
  readonly deny: string;
}

/**
 * Two lists of tiers, one after the other. The first, which is asked about untranslated destinations, is passed over by what
 * is failsafe there.
 */
function joined(
  opening: Expression[][],
  [before = [], after = []]: readonly TierProgram[][],
  { policyOf, nameOf, deny }: ChainNames,
  last: Expression[],
  { inbound, outbound }: FailsafePorts,
  marks: Marks,
): Expression[][][] {
  if (before.length === 0) return opened(opening, tierRules(after, policyOf, nameOf, last, marks, deny));
  const count = tierRules(before, policyOf, nameOf, [], marks).length;
  const next = goTo(nameOf(count));
  const skip = [
    ...failsafeMatches(inbound, untranslated, { port: 'receiver', net: 'sender' }),
    ...turnedFailsafeMatches(outbound, untranslated, 'sender'),
  ].map((match) => [...match, next]);
  const first = tierRules(before, policyOf, nameOf, [next], marks, chains.denySilently);
  const rest = tierRules(after, policyOf, (n) => nameOf(count + n), last, marks, deny);
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
