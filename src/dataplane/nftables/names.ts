// What our objects in the kernel are called. People read these in `nft list ruleset`, so they say what they are.
import { createHash } from 'node:crypto';
import type { TupleDirection } from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';
import type { Direction } from '../../policy/index.ts';

/** The one table of ours; both families live in it. */
export const table = { family: 'inet', name: 'calico' } as const;

/** Host's ends of pods' links begin so; everything that does, and that we do not know, is closed. */
export const interfacePrefix = 'cali';

export const chains = {
  antiSpoof: 'cali-anti-spoof',
  /** Called for what pods send, before it is known to be theirs. */
  fromPods: {
    encapsulation: 'cali-no-encap-from-wl',
    neighbourDiscovery: 'cali-nd-from-wl',
    track: 'cali-track-from-wl',
  },
  egress: 'cali-forward-egress',
  ingress: 'cali-forward-ingress',
  input: 'cali-input',
  inputHost: 'cali-input-host',
  /** What policy denies: dropped, or rejected, as the node's settings say. */
  deny: 'cali-deny',
  /** The same where nothing can be rejected: before connections are tracked, and behind the routing of what the node sends. */
  denySilently: 'cali-deny-silently',
  /** Tells the sender that nobody takes its packet. */
  reject: 'cali-reject',
  output: 'cali-output',
  /** Where what the node receives is asked of its host endpoints, and what it sends; both accept where there are none. */
  fromHostEndpoint: 'cali-from-host-endpoint',
  toHostEndpoint: 'cali-to-host-endpoint',
  /** Ports by which a node can always be reached, and which it can always reach. */
  failsafe: { ingress: 'cali-failsafe-in', egress: 'cali-failsafe-out' },
  /** Where a packet goes that a policy lets pass without a connection: it is noted on its mark. */
  untracked: 'cali-untracked',
  /** Called for what policy permits: ends loops, bounds pods' traffic as their annotations ask, and writes DSCP values. */
  serviceLoop: 'cali-cidr-block',
  limits: { forward: 'cali-limit-forward', input: 'cali-limit-input', output: 'cali-limit-output' },
  dscp: 'cali-egress-dscp',
  /** Where a packet comes that everybody has permitted. */
  forwardDone: 'cali-forward-done',
  inputDone: 'cali-input-done',
  /** Where it is decided whether a packet is judged again, because a change has overtaken it. */
  overtaken: {
    forward: 'cali-forward-overtaken',
    input: 'cali-input-overtaken',
    output: 'cali-output-overtaken',
  },
  /** Where that is done: as in the chains without "again". */
  again: {
    egress: 'cali-forward-egress-again',
    ingress: 'cali-forward-ingress-again',
    input: 'cali-input-again',
    output: 'cali-output-again',
  },
  /** Called where judgement begins and where it ends: they note on the connection what was permitted. Written anew at every change. */
  mark: { begin: 'cali-mark-begin', done: 'cali-mark-done' },
  /** What these do is done by two others, earlier and later on a packet's way, where there are host endpoints. */
  hostMark: { begin: 'cali-host-mark-begin', done: 'cali-host-mark-done' },
} as const;

/** Base chains of a node that has host endpoints, and of no other. */
export const hostChains = {
  untrackedIn: 'cali-untracked-in',
  untrackedOut: 'cali-untracked-out',
  untrackedInAgain: 'cali-untracked-in-again',
  untrackedOutAgain: 'cali-untracked-out-again',
  untrackedInDone: 'cali-untracked-in-done',
  untrackedOutDone: 'cali-untracked-out-done',
  preDNAT: 'cali-pre-dnat',
  preDNATOvertaken: 'cali-pre-dnat-overtaken',
  preDNATEarlyAgain: 'cali-pre-dnat-early-again',
  preDNATAgain: 'cali-pre-dnat-again',
  forwardEgress: 'cali-host-forward-egress',
  forwardIngress: 'cali-host-forward-ingress',
  translated: 'cali-output-translated',
  forwardEarlyAgain: 'cali-host-forward-early-again',
  inputEarlyAgain: 'cali-host-input-early-again',
  outputEarlyAgain: 'cali-host-output-early-again',
  translatedOvertaken: 'cali-output-translated-overtaken',
  translatedEarlyAgain: 'cali-output-translated-early-again',
  forwardEgressAgain: 'cali-host-forward-egress-again',
  forwardIngressAgain: 'cali-host-forward-ingress-again',
  translatedAgain: 'cali-output-translated-again',
  outputDone: 'cali-output-done',
} as const;

/** What is asked of a host endpoint, and the name that the maps and chains of it begin with. */
export const hostPlaces = {
  normalIn: 'cali-fh',
  normalOut: 'cali-th',
  forwardIn: 'cali-fhfw',
  forwardOut: 'cali-thfw',
  preDNAT: 'cali-fhpd',
  untrackedIn: 'cali-fhut',
  untrackedOut: 'cali-thut',
  untrackedInOriginal: 'cali-fhuto',
  untrackedInReply: 'cali-fhutr',
  untrackedOutOriginal: 'cali-thuto',
  untrackedOutReply: 'cali-thutr',
  /** As the normal ones, of what was translated on its way out: there where what is denied is rejected elsewhere. */
  translatedIn: 'cali-fhtl',
  translatedOut: 'cali-thtl',
} as const;

export type HostPlace = keyof typeof hostPlaces;

/** Whether it is asked about what was translated on its way out, where the kernel rejects nothing. */
export function isOfTranslated(place: HostPlace): boolean {
  return place === 'translatedIn' || place === 'translatedOut';
}

/** The chains of a host endpoint by the interface's name, "any" for the one that stands for all others. */
export function hostChain(place: HostPlace, interfaceName: string, n: number): string {
  const name = interfaceName === '*' ? 'any-interface' : interfaceName;
  return `${hostPlaces[place]}-${name}${n === 0 ? '' : `-tier-${n + 1}`}`;
}

/** The map from names of interfaces to those chains. */
export function hostDispatch(place: HostPlace): string {
  return `${hostPlaces[place]}-dispatch`;
}

export const sets = {
  /** Values of the connection mark that say "permitted by the present policy". */
  judged: 'cali-judged',
  /** The number of the present state of policy. */
  stamp: 'cali-stamp-now',
  dispatch: { egress: 'cali-from-wl-dispatch', ingress: 'cali-to-wl-dispatch' },
  /** Interface and address of every pod: what may come from where. */
  sources: { 4: 'cali-wl-addresses-4', 6: 'cali-wl-addresses-6' },
} as const;

/** "cali40-..." or "cali60-...", after the names of Calico's IP sets. */
export function addressSetName(id: string, family: Family): string {
  return `cali${family}0-${id.replace(/^s:/, '')}`;
}

/** "cali-tw-..." (to workload) holds ingress, "cali-fw-..." (from workload) egress. */
function endpointChain(interfaceName: string, direction: Direction): string {
  return `cali-${direction === 'ingress' ? 'tw' : 'fw'}-${interfaceName}`;
}

/** The chain of an endpoint's n-th tier, from 0: the first is the endpoint's own. */
export function tierChain(interfaceName: string, direction: Direction, n: number): string {
  return `${endpointChain(interfaceName, direction)}${n === 0 ? '' : `-tier-${n + 1}`}`;
}

/** Of whom a policy is asked besides: packets by the direction that they go, or where what it denies is dropped silently. */
export type PolicyVariant = TupleDirection | 'silent';

const longest = 200;

/**
 * "cali-pi-..." and "cali-po-...": a policy's key as it is where nftables can say it, else its hash. A policy about packets that
 * have no connection is asked of such as have one, too, by the direction that they go: "cali-pio-...", "cali-pir-...". "cali-pis-..."
 * rejects nothing.
 */
export function policyChain(key: string, direction: Direction, variant?: PolicyVariant): string {
  const prefix = `cali-p${direction === 'ingress' ? 'i' : 'o'}${variant?.slice(0, 1) ?? ''}-`;
  const isSayable = key.length <= longest && /^[A-Za-z0-9/_.-]+$/.test(key);
  return prefix + (isSayable ? key : hashOf(key));
}

/** 27 characters that stand for a text of any length. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 27);
}
