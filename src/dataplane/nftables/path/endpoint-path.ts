// What single pods ask of their packets' path: further sources, limits, a DSCP value, floating addresses. Each has a chain of
// its own, to which a map leads by the pod's interface or by the floating address.
//
//   raw prerouting (in cali-anti-spoof)  cali-src-<if>         sources beside the pod's own
//   nat prerouting, output               cali-fip-dnat-<if>-n  to a floating address n -> to the pod
//   nat postrouting                      cali-fip-snat-<if>    from the pod to itself by a floating address
//   forward, input, output               cali-limit-fw/tw-<if> bandwidth, packets, connections; behind policy
//   forward                              cali-dscp-<if>        what leaves the cluster
import type { Changes, DesiredState, EndpointProgram } from '../../../calc/index.ts';
import type { Chain, Element, Expression, NftSet, Rule } from '../../../kernel/index.ts';
import { addressBytes, bitsOf, type Family, parseCidr } from '../../../net/index.ts';
import type { Bandwidth, TrafficLimits } from '../../../policy/index.ts';
import { interfaceNameBytes } from '../bytes.ts';
import { type Isolation, ownedBy } from '../isolation.ts';
import { counter, goTo, verdict } from '../matches.ts';
import { chains } from '../names.ts';
import type { TableWriter } from '../table-image.ts';
import { dscpExpressions } from './dscp.ts';
import { type FloatingAddress, FloatingClaims, floatingAddressesOf } from './floating-claims.ts';
import { networkSetName } from './network-sets.ts';
import type { PathOptions } from './options.ts';
import {
  addressRegister,
  isConnectionNew,
  isEndIn,
  isEndInNet,
  isOfFamily,
  lookUpEnd,
  lookUpInterface,
} from './packet.ts';

const families: readonly Family[] = [4, 6];

const maps = {
  sources: 'cali-src-dispatch',
  from: 'cali-limit-from-dispatch',
  to: 'cali-limit-to-dispatch',
  dscp: 'cali-dscp-dispatch',
  snat: 'cali-fip-snat-dispatch',
} as const;
const floatingMap = (family: Family) => `cali${family}0fip-dnat`;

export const endpointPathSets: readonly NftSet[] = [
  ...Object.values(maps).map((name): NftSet => ({ name, key: ['ifname'], verdicts: true })),
  ...families.map(
    (family): NftSet => ({
      name: floatingMap(family),
      key: [family === 4 ? 'ipv4_addr' : 'ipv6_addr'],
      verdicts: true,
    }),
  ),
];

const base = {
  dnat: { prerouting: 'cali-fip-dnat', output: 'cali-fip-dnat-output' },
  snat: 'cali-fip-snat',
} as const;

const nat = (hook: 'prerouting' | 'output' | 'postrouting', priority: number) =>
  ({ type: 'nat', hook, priority, policy: 'accept' }) as const;

export const endpointPathChains: readonly Chain[] = [
  // Behind policy: what is denied counts for nothing.
  { name: chains.limits.forward },
  { name: chains.limits.input },
  { name: chains.limits.output, hook: { type: 'filter', hook: 'output', priority: -7, policy: 'accept' } },
  { name: chains.dscp },
  // Before services' addresses are translated (-100), and before NAT outgoing.
  { name: base.dnat.prerouting, hook: nat('prerouting', -101) },
  { name: base.dnat.output, hook: nat('output', -101) },
  { name: base.snat, hook: nat('postrouting', 98) },
];

export const endpointPathRules: readonly Rule[] = [
  { chain: chains.limits.forward, expressions: lookUpInterface('iifname', maps.from) },
  { chain: chains.limits.forward, expressions: lookUpInterface('oifname', maps.to) },
  { chain: chains.limits.input, expressions: lookUpInterface('iifname', maps.from) },
  { chain: chains.limits.output, expressions: lookUpInterface('oifname', maps.to) },
  ...families.map((family) => ({
    chain: chains.dscp,
    expressions: [
      ...isOfFamily(family),
      ...isEndIn(family, 'destination', networkSetName('pools', family), { invert: true }),
      ...isEndIn(family, 'destination', networkSetName('nodes', family), { invert: true }),
      ...lookUpInterface('iifname', maps.dscp),
    ],
  })),
  ...families.flatMap((family) =>
    Object.values(base.dnat).map((chain) => ({
      chain,
      expressions: [...isOfFamily(family), ...lookUpEnd(family, 'destination', floatingMap(family))],
    })),
  ),
  { chain: base.snat, expressions: lookUpInterface('oifname', maps.snat) },
];

/** For the chain that drops forged sources: goes on where the pod may use none but its own. */
export const otherSources: Expression[] = lookUpInterface('iifname', maps.sources);

interface Piece {
  readonly chain: string;
  readonly rules: readonly Expression[][];
  readonly map: string;
  readonly key: Uint8Array;
}

export class EndpointPathProgram {
  readonly #options: PathOptions;
  readonly #isolation: Isolation;
  readonly #placed = new Map<string, readonly Piece[]>();
  readonly #floating = new FloatingClaims();

  constructor(options: PathOptions, isolation: Isolation) {
    this.#options = options;
    this.#isolation = isolation;
  }

  change(transaction: TableWriter, state: DesiredState, changes: Changes): void {
    const due = new Set(changes.endpoints);
    for (const key of changes.endpoints) {
      const endpoint = this.#open(state, key);
      ownedBy(transaction, `endpoint ${key}`, () => {
        const floating = endpoint && this.#areFloating ? floatingAddressesOf(endpoint) : [];
        for (const rival of this.#floating.claim(key, floating)) due.add(rival);
      });
    }
    const replacements = [...due].map((key) => {
      const endpoint = this.#open(state, key);
      const before = this.#placed.get(key) ?? [];
      const after = ownedBy(transaction, `endpoint ${key}`, () =>
        endpoint ? this.#piecesOf(key, endpoint) : [],
      );
      if (after.length > 0) this.#placed.set(key, after);
      else this.#placed.delete(key);
      return { key, before, after };
    });
    // What one has no more may be another's now.
    for (const { key, before, after } of replacements)
      ownedBy(transaction, `endpoint ${key}`, () => removePieces(transaction, before, after));
    for (const { key, before, after } of replacements)
      ownedBy(transaction, `endpoint ${key}`, () => addPieces(transaction, before, after));
    transaction.owner = undefined;
  }

  get #areFloating(): boolean {
    return this.#options.floatingIPs === 'Enabled';
  }

  #open(state: DesiredState, key: string): EndpointProgram | undefined {
    return this.#isolation.isClosed('endpoint', key) ? undefined : state.endpoints.get(key);
  }

  #piecesOf(key: string, endpoint: EndpointProgram): Piece[] {
    const pieces = piecesOf(endpoint, this.#options);
    if (!this.#areFloating) return pieces;
    const held = floatingAddressesOf(endpoint).filter((address) => this.#floating.isHeldBy(key, address));
    return [...pieces, ...floatingPieces(endpoint.interfaceName, held)];
  }
}

const idOf = ({ chain, map, key }: Piece) => `${chain} ${map} ${Buffer.from(key).toString('hex')}`;

function removePieces(transaction: TableWriter, before: readonly Piece[], after: readonly Piece[]): void {
  const wanted = new Set(after.map(idOf));
  const gone = before.filter((piece) => !wanted.has(idOf(piece)));
  for (const { map, key } of gone) transaction.deleteElements(mapOf(map), [{ key }]);
  for (const { chain } of before) transaction.flushChain(chain);
  for (const { chain } of gone) transaction.deleteChain(chain);
}

function addPieces(transaction: TableWriter, before: readonly Piece[], after: readonly Piece[]): void {
  const known = new Set(before.map(idOf));
  for (const piece of after) {
    const { chain, rules, map, key } = piece;
    const isNew = !known.has(idOf(piece));
    if (isNew) transaction.addChain({ name: chain });
    for (const expressions of rules) transaction.addRule({ chain, expressions });
    const element: Element = { key, verdict: { code: 'jump', chain } };
    if (isNew) transaction.addElements(mapOf(map), [element]);
  }
}

function mapOf(name: string): NftSet {
  const set = endpointPathSets.find((candidate) => candidate.name === name);
  if (!set) throw new Error(`The table has no map "${name}"`);
  return set;
}

function piecesOf({ interfaceName, path }: EndpointProgram, options: PathOptions): Piece[] {
  if (!path) return [];
  const key = interfaceNameBytes(interfaceName);
  const pieces: Piece[] = [];
  const add = (chain: string, map: string, rules: Expression[][]) => {
    if (rules.length > 0) pieces.push({ chain: `${chain}-${interfaceName}`, map, key, rules });
  };
  if (options.workloadSourceSpoofing === 'Any') {
    add(
      'cali-src',
      maps.sources,
      (path.allowedSources ?? [])
        .map(parseCidr)
        .map((net) => [...isOfFamily(net.family), ...isEndInNet('source', net), verdict('accept')]),
    );
  }
  add('cali-limit-fw', maps.from, limitRules(path.egress));
  add('cali-limit-tw', maps.to, limitRules(path.ingress));
  const { dscp } = path;
  if (dscp !== undefined) {
    add(
      'cali-dscp',
      maps.dscp,
      families.map((family) => [...isOfFamily(family), ...dscpExpressions(family, dscp)]),
    );
  }
  return pieces;
}

/** Segments are joined to packets of up to 64 KiB on their way: a smaller bucket would let none through. */
const leastBurstBytes = 65_536;

/**
 * Bandwidth is policed: what is beyond it is dropped, not delayed, which every kernel can, in both directions, without a queue
 * on the pod's link that another program might replace.
 */
function bandwidthRules({ bitsPerSecond, burstBits, peak }: Bandwidth): Expression[][] {
  const beyond = (bits: number, burstBytes: number): Expression[] => [
    {
      kind: 'limit',
      rate: BigInt(Math.ceil(bits / 8)),
      seconds: 1n,
      burst: Math.min(2 ** 32 - 1, Math.max(leastBurstBytes, Math.ceil(burstBytes))),
      unit: 'bytes',
      isOver: true,
    },
    counter,
    verdict('drop'),
  ];
  return [
    ...(peak ? [beyond(peak.bitsPerSecond, peak.minBurstBytes)] : []),
    beyond(bitsPerSecond, burstBits / 8),
  ];
}

function limitRules({ bandwidth, packets, connections }: TrafficLimits = {}): Expression[][] {
  const rules = bandwidth ? bandwidthRules(bandwidth) : [];
  if (packets) {
    const { perSecond, burst } = packets;
    const rate = BigInt(perSecond);
    rules.push([
      { kind: 'limit', rate, seconds: 1n, burst, unit: 'packets', isOver: true },
      counter,
      verdict('drop'),
    ]);
  }
  // The sender of one connection too many is told so, as upstream does.
  if (connections !== undefined)
    rules.push([
      ...isConnectionNew,
      { kind: 'connlimit', count: connections, isOver: true },
      counter,
      goTo(chains.reject),
    ]);
  return rules;
}

function floatingPieces(interfaceName: string, held: readonly FloatingAddress[]): Piece[] {
  const pieces: Piece[] = [];
  const hairpins: Expression[][] = [];
  const translate = (family: Family, side: 'source' | 'destination', value: bigint): Expression[] => [
    { kind: 'immediate', to: addressRegister, value: addressBytes({ family, value }) },
    { kind: 'nat', side, family, address: addressRegister },
  ];
  for (const { family, value, target } of held) {
    pieces.push({
      // By the address, not by its place in a list: what is told apart by its chain must not change hands within one.
      chain: `cali-fip-dnat-${interfaceName}-${family}-${value.toString(16)}`,
      map: floatingMap(family),
      key: addressBytes({ family, value }),
      rules: [translate(family, 'destination', target)],
    });
    const itself = { family, network: target, length: bitsOf(family) };
    if (held.find((other) => other.family === family)?.value !== value) continue;
    hairpins.push([
      ...isOfFamily(family),
      ...isEndInNet('source', itself),
      ...isEndInNet('destination', itself),
      ...translate(family, 'source', value),
    ]);
  }
  if (hairpins.length > 0) {
    const key = interfaceNameBytes(interfaceName);
    pieces.push({ chain: `cali-fip-snat-${interfaceName}`, map: maps.snat, key, rules: hairpins });
  }
  return pieces;
}
