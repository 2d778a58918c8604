// The part of the table that is the same on every node at every time: base chains, dispatch, and what befalls a packet
// of a pod that nobody knows. Everything else hangs below this.
//
//   prerouting       cali-anti-spoof       a pod's packet carries one of the pod's addresses, or goes no further
//   forward          cali-forward-egress   sender's policy
//                    cali-forward-ingress  receiver's policy
//                    ...-overtaken         whether a change has overtaken the packet: see overtaken.ts
//                    ...-again             then all the same once more
//                    cali-forward-done     loops, limits, DSCP; the connection is noted as permitted
//   input            cali-input            sender's policy, for a pod that speaks to its node
//                    cali-input-host       what the node itself wants of its pods and, by its host endpoints, of others
//                    cali-input-again
//                    cali-input-done       limits; the connection is noted as permitted
//   output           cali-output           sender's policy, for what the node answers to a pod; host endpoints, to others
//                    cali-output-again
//
// A node that has host endpoints has more of them: see host-skeleton.ts.
//
// "accept" ends a base chain, not the packet's way: the next base chain still has its word. A packet of the reply
// direction is dispatched by the interface that its opposite would have come by.
import { type Chain, type Expression, type NftSet, type Rule, registers } from '../../kernel/index.ts';
import {
  defaultFailsafePorts,
  type FailsafePorts,
  failsafeMatches,
  turnedFailsafeMatches,
} from './failsafe.ts';
import { isJudged } from './judgement.ts';
import { defaultMarks, type Marks } from './marks.ts';
import { counter, goTo, jump, verdict } from './matches.ts';
import { chains, type HostPlace, hostDispatch, hostPlaces, sets } from './names.ts';
import { decide, isJudgedAgain, stampSet } from './overtaken.ts';
import { clearBits, untrackedBit, writeBits } from './packet-mark.ts';
import {
  dispatch,
  goes,
  isForeignWorkload,
  isIcmp6,
  isInState,
  isNoWorkload,
  isWorkload,
  linkTypes,
} from './packet-tests.ts';
import { defaultPath, isOfFamily, otherSources, type PathOptions } from './path/index.ts';
import { untrackedPodsChains, untrackedPodsRules } from './untracked-pods.ts';
import { connection } from './views.ts';

export interface SkeletonOptions {
  /** What befalls a pod's packet to its own node after its policy: Felix' defaultEndpointToHostAction. */
  readonly endpointToHostAction: 'Drop' | 'Accept' | 'Return';
  /** Upstream's when absent. */
  readonly failsafe?: FailsafePorts;
  /** Upstream's default when absent. */
  readonly marks?: Marks;
  /** Upstream's defaults when absent. */
  readonly path?: PathOptions;
}

export const skeletonSets: readonly NftSet[] = [
  { name: sets.judged, key: ['mark'] },
  stampSet,
  { name: sets.dispatch.egress, key: ['ifname'], verdicts: true },
  { name: sets.dispatch.ingress, key: ['ifname'], verdicts: true },
  { name: sets.sources[4], key: ['ifname', 'ipv4_addr'] },
  { name: sets.sources[6], key: ['ifname', 'ipv6_addr'] },
  ...(Object.keys(hostPlaces) as HostPlace[]).map(
    (place): NftSet => ({ name: hostDispatch(place), key: ['ifname'], verdicts: true }),
  ),
];

/** @throws Error for a name that is none of theirs */
export function skeletonSet(name: string): NftSet {
  const set = skeletonSets.find((candidate) => candidate.name === name);
  if (!set) throw new Error(`The table has no set "${name}"`);
  return set;
}

const hook = (name: 'prerouting' | 'forward' | 'input' | 'output', priority: number) =>
  ({ type: 'filter', hook: name, priority, policy: 'accept' }) as const;

/** Before the filter chains of others (0), so that what they accept has passed here. */
const first = -20;
const last = -5;

export const skeletonChains: readonly Chain[] = [
  { name: chains.mark.begin },
  { name: chains.mark.done },
  { name: chains.hostMark.begin },
  { name: chains.hostMark.done },
  { name: chains.failsafe.ingress },
  { name: chains.failsafe.egress },
  { name: chains.untracked },
  { name: chains.fromHostEndpoint },
  { name: chains.toHostEndpoint },
  // Before connection tracking (-200): a forged packet shall not leave a connection behind. And behind all who say that there is to
  // be none.
  { name: chains.antiSpoof, hook: hook('prerouting', -201) },
  ...untrackedPodsChains,
  { name: chains.egress, hook: hook('forward', first) },
  { name: chains.ingress, hook: hook('forward', first + 1) },
  { name: chains.overtaken.forward, hook: hook('forward', first + 2) },
  { name: chains.again.egress, hook: hook('forward', first + 6) },
  { name: chains.again.ingress, hook: hook('forward', first + 7) },
  // Behind all others of ours, which may forbid it yet.
  { name: chains.forwardDone, hook: hook('forward', last) },
  { name: chains.input, hook: hook('input', first) },
  { name: chains.inputHost, hook: hook('input', first + 1) },
  { name: chains.overtaken.input, hook: hook('input', first + 2) },
  { name: chains.again.input, hook: hook('input', first + 4) },
  { name: chains.inputDone, hook: hook('input', last) },
  // After destinations are translated (-100).
  { name: chains.output, hook: hook('output', first) },
  { name: chains.overtaken.output, hook: hook('output', first + 2) },
  { name: chains.again.output, hook: hook('output', first + 4) },
];

const register = registers.wide(0);

const accept = verdict('accept');
const drop = verdict('drop');

/** fe80::/10, and "::" of a host that has no address yet. */
const isLinkLocal: readonly Expression[] = [
  { kind: 'payload', base: 'network', offset: 8, length: 16, to: register },
  {
    kind: 'bitwise',
    from: register,
    to: register,
    mask: Uint8Array.from([0xff, 0xc0, ...new Array<number>(14).fill(0)]),
    xor: new Uint8Array(16),
  },
  {
    kind: 'cmp',
    comparison: '==',
    register,
    value: Uint8Array.from([0xfe, 0x80, ...new Array<number>(14).fill(0)]),
  },
];
const isUnspecified: readonly Expression[] = [
  { kind: 'payload', base: 'network', offset: 8, length: 16, to: register },
  { kind: 'cmp', comparison: '==', register, value: new Uint8Array(16) },
];

function comesFrom(set: string, offset: number, length: number): Expression[] {
  return [
    { kind: 'meta', key: 'iifname', to: registers.narrow(0) },
    { kind: 'payload', base: 'network', offset, length, to: registers.narrow(4) },
    { kind: 'lookup', set, register: registers.narrow(0) },
  ];
}

export function skeletonRules({
  endpointToHostAction,
  failsafe = defaultFailsafePorts,
  marks = defaultMarks,
  path = defaultPath,
}: SkeletonOptions): Rule[] {
  const rule = (chain: string, expressions: readonly Expression[], comment?: string): Rule => ({
    chain,
    expressions,
    ...(comment && { comment }),
  });
  const foreign = path.foreignWorkloads;
  const isSettled = [...isJudgedAgain(marks, false), accept];
  return [
    ...failsafeMatches(failsafe.inbound, connection, { port: 'receiver', net: 'sender' }).map((match) =>
      rule(chains.failsafe.ingress, [...match, counter, accept]),
    ),
    ...failsafeMatches(failsafe.outbound, connection, { port: 'receiver', net: 'receiver' }).map((match) =>
      rule(chains.failsafe.egress, [...match, counter, accept]),
    ),
    // Not to be noted on the connection, where judgement ends: a packet that opens one is to be judged.
    ...turnedFailsafeMatches(failsafe.outbound, connection, 'sender').map((match) =>
      rule(chains.failsafe.ingress, [...match, counter, accept]),
    ),
    ...turnedFailsafeMatches(failsafe.inbound, connection, 'receiver').map((match) =>
      rule(chains.failsafe.egress, [...match, counter, accept]),
    ),
    rule(chains.untracked, [...writeBits(marks, 0, untrackedBit), accept]),
    ...untrackedPodsRules(marks),

    rule(chains.antiSpoof, [...isNoWorkload('iifname', foreign), accept]),
    ...foreign.map((prefix) =>
      rule(chains.antiSpoof, [...isForeignWorkload('iifname', prefix), counter, drop], 'unknown workload'),
    ),
    ...Object.values(chains.fromPods).map((chain) => rule(chains.antiSpoof, [jump(chain)])),
    rule(chains.antiSpoof, [...isOfFamily(4), ...comesFrom(sets.sources[4], 12, 4), accept]),
    rule(chains.antiSpoof, [...isOfFamily(6), ...comesFrom(sets.sources[6], 8, 16), accept]),
    ...linkTypes.flatMap((type) =>
      [isLinkLocal, isUnspecified].map((from) => rule(chains.antiSpoof, [...isIcmp6(type), ...from, accept])),
    ),
    rule(chains.antiSpoof, otherSources),
    rule(chains.antiSpoof, [counter, drop], "source address is not the pod's"),

    ...foreign.map((prefix) =>
      rule(chains.egress, [...isForeignWorkload('oifname', prefix), counter, drop], 'unknown workload'),
    ),
    rule(chains.egress, [...isJudged(marks), accept], 'permitted by the present policy'),
    rule(chains.egress, [...isWorkload('iifname'), jump(chains.mark.begin)]),
    rule(chains.egress, [...isNoWorkload('iifname', []), ...isWorkload('oifname'), jump(chains.mark.begin)]),
    // Host endpoints have been asked before pods.
    rule(chains.egress, [...isJudgedAgain(marks), accept]),
    rule(chains.again.egress, isSettled),
    ...[chains.egress, chains.again.egress].flatMap((chain) => [
      rule(chain, [...isWorkload('iifname'), ...isInState('invalid'), counter, drop]),
      rule(chain, [...isWorkload('oifname'), ...isInState('invalid'), counter, drop]),
      rule(chain, [...goes('original'), ...dispatch('iifname', sets.dispatch.egress)]),
      rule(chain, [...goes('reply'), ...dispatch('oifname', sets.dispatch.egress)]),
      rule(chain, [...goes('original'), ...isWorkload('iifname'), counter, drop], 'unknown pod'),
      rule(chain, [...goes('reply'), ...isWorkload('oifname'), counter, drop], 'unknown pod'),
      rule(chain, [...goes('original'), ...isWorkload('oifname'), accept], 'sender is not here'),
      rule(chain, [...goes('reply'), ...isWorkload('iifname'), accept], 'sender is not here'),
      rule(chain, [...isWorkload('iifname'), counter, drop], 'not tracked'),
      rule(chain, [...isWorkload('oifname'), counter, drop], 'not tracked'),
    ]),

    rule(chains.ingress, [...isJudged(marks), accept], 'permitted by the present policy'),
    rule(chains.ingress, [...isJudgedAgain(marks), accept]),
    rule(chains.again.ingress, isSettled),
    ...[chains.ingress, chains.again.ingress].flatMap((chain) => [
      rule(chain, [...goes('original'), ...dispatch('oifname', sets.dispatch.ingress)]),
      rule(chain, [...goes('reply'), ...dispatch('iifname', sets.dispatch.ingress)]),
      rule(chain, [...goes('original'), ...isWorkload('oifname'), counter, drop], 'unknown pod'),
      rule(chain, [...goes('reply'), ...isWorkload('iifname'), counter, drop], 'unknown pod'),
      rule(chain, [...goes('original'), ...isWorkload('iifname'), accept], 'receiver is not here'),
      rule(chain, [...goes('reply'), ...isWorkload('oifname'), accept], 'receiver is not here'),
    ]),

    rule(chains.forwardDone, clearBits(marks)),
    rule(chains.forwardDone, [jump(chains.serviceLoop)]),
    rule(chains.forwardDone, [jump(chains.limits.forward)]),
    rule(chains.forwardDone, [jump(chains.dscp)]),
    rule(chains.forwardDone, [...isJudged(marks), accept]),
    rule(chains.forwardDone, [...isWorkload('iifname'), jump(chains.mark.done)]),
    rule(chains.forwardDone, [...isWorkload('oifname'), jump(chains.mark.done)]),

    ...Object.values(chains.overtaken).flatMap((chain) =>
      decide(marks).map((expressions) => rule(chain, expressions)),
    ),

    rule(chains.input, [...isJudged(marks), accept], 'permitted by the present policy'),
    rule(chains.input, [...isNoWorkload('iifname', foreign), accept]),
    rule(chains.input, [jump(chains.mark.begin)]),
    rule(chains.again.input, isSettled),
    rule(chains.again.input, [...isNoWorkload('iifname', foreign), goTo(chains.fromHostEndpoint)]),
    ...[chains.input, chains.again.input].flatMap((chain) => [
      rule(chain, [...goes('reply'), accept], 'the node opened it: kubelet and its probes'),
      ...linkTypes.map((type) => rule(chain, [...isIcmp6(type), accept])),
      rule(chain, [...isInState('invalid'), counter, drop]),
      rule(chain, [...goes('original'), ...dispatch('iifname', sets.dispatch.egress)]),
      rule(chain, [counter, drop], 'unknown pod'),
    ]),

    rule(chains.inputHost, [...isJudged(marks), accept], 'permitted by the present policy'),
    rule(chains.inputHost, [...isNoWorkload('iifname', foreign), goTo(chains.fromHostEndpoint)]),
    rule(chains.inputHost, [...goes('reply'), accept]),
    ...linkTypes.map((type) => rule(chains.inputHost, [...isIcmp6(type), accept])),
    endpointToHostAction === 'Drop'
      ? rule(chains.inputHost, [counter, drop], 'defaultEndpointToHostAction is Drop')
      : rule(chains.inputHost, [accept]),

    rule(chains.inputDone, clearBits(marks)),
    rule(chains.inputDone, [jump(chains.limits.input)]),
    rule(chains.inputDone, [...isJudged(marks), accept]),
    rule(chains.inputDone, [...isInState('related'), accept]),
    ...turnedFailsafeMatches(failsafe.outbound, connection, 'sender').map((match) =>
      rule(chains.inputDone, [...match, accept]),
    ),
    rule(chains.inputDone, [jump(chains.hostMark.done)]),
    rule(chains.inputDone, [...isWorkload('iifname'), jump(chains.mark.done)]),

    rule(chains.output, [...isJudged(marks), accept], 'permitted by the present policy'),
    rule(chains.output, [jump(chains.hostMark.begin)]),
    // Others go on to where their host endpoints are asked after translation.
    rule(chains.again.output, [
      ...isWorkload('oifname'),
      ...isJudgedAgain(marks, false),
      ...clearBits(marks),
      accept,
    ]),
    rule(chains.again.output, isSettled),
    ...[chains.output, chains.again.output].flatMap((chain) => [
      rule(chain, [...isNoWorkload('oifname', foreign), goTo(chains.toHostEndpoint)]),
      rule(chain, [...goes('original'), accept], 'the node opened it: kubelet and its probes'),
      rule(
        chain,
        [...goes('reply'), ...isInState('established'), ...dispatch('oifname', sets.dispatch.egress)],
        'the pod opened it',
      ),
    ]),
  ];
}
