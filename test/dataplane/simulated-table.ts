// A table of ours run by hand: the rules that a program has written, expression by expression, on one packet of a connection.
// It knows the expressions that policy is made of, and refuses those that it does not know. The real kernel is asked the
// same elsewhere; this one answers a hundred thousand times a second.
import type { Connection, DesiredState } from '../../src/calc/index.ts';
import { Isolation } from '../../src/dataplane/nftables/isolation.ts';
import { defaultMarks } from '../../src/dataplane/nftables/marks.ts';
import { sets } from '../../src/dataplane/nftables/names.ts';
import { firstStampBit } from '../../src/dataplane/nftables/packet-mark.ts';
import { Program } from '../../src/dataplane/nftables/program.ts';
import { TableImage } from '../../src/dataplane/nftables/table-image.ts';
import type { Element, Expression, TupleDirection, TupleKey, Verdict } from '../../src/kernel/index.ts';
import { addressBytes, parseAddress } from '../../src/net/index.ts';
import type { Direction } from '../../src/policy/index.ts';

type ExpressionOf<K extends Expression['kind']> = Extract<Expression, { kind: K }>;
type Outcome = Verdict | 'next rule' | undefined;

interface LookedUp {
  readonly exact: ReadonlyMap<string, Element>;
  /** Ends of ranges, ascending; a key is in the set when the last one not above it begins a range. */
  readonly bounds: readonly Element[] | undefined;
}

/** The stamp of the one state that there is. */
const present = 1;

export class SimulatedTable {
  readonly #image: TableImage;
  readonly #sets = new Map<string, LookedUp>();
  readonly #lookUp = (set: string) => this.#set(set);

  /** As a program writes it from nothing. */
  static of(state: DesiredState): SimulatedTable {
    const image = new TableImage();
    const program = new Program({ logPrefix: 'test', endpointToHostAction: 'Accept' }, new Isolation());
    program.begin(image);
    program.change(
      image,
      state,
      {
        sets: new Map(
          [...state.sets].map(([id, { members, nets }]) => [
            id,
            { added: [...members.keys()], removed: [], netsChanged: nets.size > 0 },
          ]),
        ),
        policies: new Set(state.policies.keys()),
        endpoints: new Set(state.endpoints.keys()),
        hostEndpoints: new Set(state.hostEndpoints.keys()),
        network: new Set(),
        tunnelEndpoints: new Set(),
        routes: new Set(),
      },
      { generation: 1, stamp: present },
    );
    return new SimulatedTable(image);
  }

  private constructor(image: TableImage) {
    this.#image = image;
  }

  /** What the chain that a pod's interface is dispatched to says of a connection's first packet. */
  judge(interfaceName: string, direction: Direction, connection: Connection): 'Allow' | 'Deny' {
    const machine = new Machine(connection, this.#lookUp);
    const key = Buffer.alloc(16);
    key.write(interfaceName, 'latin1');
    const entry = this.#set(sets.dispatch[direction]).exact.get(key.toString('hex'))?.verdict;
    if (!entry || !('chain' in entry)) return 'Deny';
    return this.#run(entry.chain, machine) === 'accept' ? 'Allow' : 'Deny';
  }

  /** Undefined when the chain comes to its end, or returns. */
  #run(chain: string, machine: Machine): 'accept' | 'drop' | undefined {
    for (const { value: rule } of this.#image.rulesOf(chain)) {
      const outcome = machine.run(rule.expressions);
      if (outcome === undefined || outcome === 'next rule' || outcome.code === 'continue') continue;
      if (outcome.code === 'accept' || outcome.code === 'drop') return outcome.code;
      if (!('chain' in outcome)) return undefined;
      const inner = this.#run(outcome.chain, machine);
      if (inner !== undefined || outcome.code === 'goto') return inner;
    }
    return undefined;
  }

  #set(name: string): LookedUp {
    const known = this.#sets.get(name);
    if (known) return known;
    const definition = this.#image.sets.get(name)?.value;
    if (!definition) throw new Error(`A rule speaks of the set "${name}", which is not there`);
    const elements = this.#image.elementsOf(name).flatMap(({ value }) => value);
    // Where one range ends and the next begins, the beginning counts.
    const compare = (a: Element, b: Element) =>
      Buffer.compare(a.key, b.key) || Number(b.isEnd ?? false) - Number(a.isEnd ?? false);
    const made: LookedUp = {
      exact: new Map(definition.interval ? [] : elements.map((element) => [hex(element.key), element])),
      bounds: definition.interval ? elements.toSorted(compare) : undefined,
    };
    this.#sets.set(name, made);
    return made;
  }
}

/** The registers, the packet's mark, and what conntrack knows. */
class Machine {
  readonly #registers = new Uint8Array(80);
  readonly #connection: Connection;
  readonly #setOf: (name: string) => LookedUp;
  readonly #family: 4 | 6;
  /** As it comes from the table of stamps. */
  #mark = defaultMarks.of(present * firstStampBit);
  #connectionMark = new Uint8Array(4);

  constructor(connection: Connection, setOf: (name: string) => LookedUp) {
    this.#connection = connection;
    this.#setOf = setOf;
    this.#family = connection.source.includes(':') ? 6 : 4;
  }

  run(expressions: readonly Expression[]): Outcome {
    for (const expression of expressions) {
      const outcome = this.#step(expression);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }

  #step(expression: Expression): Outcome {
    switch (expression.kind) {
      case 'counter':
      case 'log':
        return undefined;
      case 'verdict':
        return expression.verdict;
      case 'cmp':
        return this.#compares(expression) ? undefined : 'next rule';
      case 'lookup':
        return this.#looksUp(expression);
      case 'bitwise': {
        const { from, to, mask, xor } = expression;
        const value = this.#load(from, mask.length);
        this.#store(
          to,
          value.map((byte, at) => (byte & (mask[at] ?? 0)) ^ (xor[at] ?? 0)),
        );
        return undefined;
      }
      case 'meta':
        this.#store(expression.to, this.#meta(expression));
        return undefined;
      case 'meta set':
        if (expression.key === 'mark') this.#mark = this.#load(expression.from, 4);
        return undefined;
      case 'ct':
        if (expression.key !== 'mark') throw new Error(`ct ${expression.key} is not simulated`);
        this.#store(expression.to, this.#connectionMark);
        return undefined;
      case 'ct set':
        this.#connectionMark = this.#load(expression.from, 4);
        return undefined;
      case 'ct tuple': {
        const value = this.#tuple(expression.key, expression.direction);
        if (!value) return 'next rule';
        this.#store(expression.to, value);
        return undefined;
      }
      default:
        throw new Error(`The expression "${expression.kind}" is not simulated`);
    }
  }

  #meta({ key }: ExpressionOf<'meta'>): Uint8Array {
    if (key === 'nfproto') return Uint8Array.of(this.#family === 4 ? 2 : 10);
    if (key === 'mark') return this.#mark;
    throw new Error(`meta ${key} is not simulated`);
  }

  /** Undefined where the connection has no such thing. The address that is connected to answers under the same one. */
  #tuple(key: TupleKey, direction: TupleDirection): Uint8Array | undefined {
    const { source, destination, protocol, sourcePort, destinationPort, icmp } = this.#connection;
    const isForward = direction === 'original';
    const port = (number: number | undefined) => Uint8Array.of((number ?? 0) >> 8, (number ?? 0) & 255);
    switch (key) {
      case 'protocol':
        return Uint8Array.of(protocol);
      case 'proto-src':
        return port(isForward ? sourcePort : destinationPort);
      case 'proto-dst':
        if (icmp && isForward) return Uint8Array.of(icmp.type, icmp.code);
        return port(isForward ? destinationPort : sourcePort);
      default: {
        if ((key.startsWith('ip6') ? 6 : 4) !== this.#family) return undefined;
        return addressBytes(parseAddress(key.endsWith('saddr') === isForward ? source : destination));
      }
    }
  }

  #compares({ comparison, register, value }: ExpressionOf<'cmp'>): boolean {
    const order = Buffer.compare(this.#load(register, value.length), value);
    switch (comparison) {
      case '==':
        return order === 0;
      case '!=':
        return order !== 0;
      case '<':
        return order < 0;
      case '<=':
        return order <= 0;
      case '>':
        return order > 0;
      case '>=':
        return order >= 0;
    }
  }

  #looksUp({ set, register, invert, to }: ExpressionOf<'lookup'>): Outcome {
    const { exact, bounds } = this.#setOf(set);
    const [first] = bounds ?? exact.values();
    if (!first) return invert ? undefined : 'next rule';
    const key = this.#load(register, first.key.length);
    const found = bounds
      ? bounds.findLast((bound) => Buffer.compare(bound.key, key) <= 0)
      : exact.get(hex(key));
    const isIn = found !== undefined && !found.isEnd;
    if (isIn === (invert ?? false)) return 'next rule';
    return to === undefined ? undefined : found?.verdict;
  }

  #load(register: number, length: number): Uint8Array<ArrayBuffer> {
    const at = placeOf(register);
    return this.#registers.slice(at, at + length);
  }

  #store(register: number, value: Uint8Array): void {
    const at = placeOf(register);
    // The kernel fills a value up to whole words of four bytes.
    this.#registers.fill(0, at, at + Math.ceil(value.length / 4) * 4);
    this.#registers.set(value, at);
  }
}

/** Wide registers 1 to 4 and narrow registers from 8 on are the same memory. */
function placeOf(register: number): number {
  return register < 8 ? (register - 1) * 16 : (register - 8) * 4;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
