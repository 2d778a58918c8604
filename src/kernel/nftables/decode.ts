// Reads chains, rules, sets and elements from the kernel's answers, whoever made them.
import type { Attributes } from '../netlink/index.ts';
import {
  comparisons,
  connectionKeys,
  elementIntervalEnd,
  families,
  hooksOf,
  keyTypes,
  metaKeys,
  nameOf,
  natFlags,
  payloadBases,
  setFlags,
  tableFlags,
  tupleKeys,
  verdicts,
  verdictType,
} from './constants.ts';
import type { Expression, Verdict } from './expression.ts';
import type {
  Chain,
  Element,
  Hook,
  KeyType,
  ListedRule,
  ListedTable,
  NftSet,
  TableFamily,
} from './objects.ts';

export function readTable(attributes: Attributes): ListedTable {
  const flags = attributes.u32be(2) ?? 0;
  const comment = readComment(attributes.bytes(6));
  return {
    owner: attributes.u32be(7) ?? 0,
    persistent: (flags & tableFlags.persist) !== 0,
    dormant: (flags & tableFlags.dormant) !== 0,
    ...(comment !== undefined && { comment }),
  };
}

export function readChain(attributes: Attributes, family: TableFamily): Chain {
  const name = attributes.string(3) ?? '';
  const hook = attributes.nested(4);
  const hookName = hooksOf(family)[hook?.u32be(1) ?? -1];
  if (!hook || !hookName) return { name };
  return {
    name,
    hook: {
      type: (attributes.string(7) ?? 'filter') as Hook['type'],
      hook: hookName,
      priority: (hook.u32be(2) ?? 0) | 0,
      policy: attributes.u32be(5) === verdicts.drop ? 'drop' : 'accept',
    },
  };
}

export function readRule(attributes: Attributes): ListedRule {
  const comment = readComment(attributes.bytes(7));
  return {
    chain: attributes.string(2) ?? '',
    handle: attributes.u64be(3) ?? 0n,
    expressions: (attributes.nested(4)?.list(1) ?? []).map(readExpression),
    ...(comment !== undefined && { comment }),
  };
}

/** Undefined for a set without a name, which is part of a rule. */
export function readSet(attributes: Attributes): NftSet | undefined {
  const flags = attributes.u32be(3) ?? 0;
  if (flags & setFlags.anonymous) return undefined;
  const key = readKeyTypes(attributes.u32be(4) ?? 0);
  const size = attributes.nested(9)?.u32be(1);
  return {
    name: attributes.string(2) ?? '',
    key,
    ...(flags & setFlags.interval && { interval: true }),
    ...(flags & setFlags.map && attributes.u32be(6) === verdictType && { verdicts: true }),
    ...(size !== undefined && { size }),
  };
}

/** The elements of one message of a listing. */
export function readElements(attributes: Attributes): Element[] {
  return (attributes.nested(3)?.list(1) ?? []).map((element) => {
    const verdict = readVerdict(element.nested(2)?.nested(2));
    return {
      key: readValue(element.nested(1)),
      ...((element.u32be(3) ?? 0) & elementIntervalEnd && { isEnd: true }),
      ...(verdict && { verdict }),
    };
  });
}

/** Empty when one of them is of a type that we never write. */
function readKeyTypes(concatenated: number): KeyType[] {
  const types: KeyType[] = [];
  for (let rest = concatenated; rest > 0; rest >>>= 6) {
    const type = nameOf(keyTypes, rest & 0x3f);
    if (!type) return [];
    types.unshift(type);
  }
  return types;
}

function readExpression(attributes: Attributes): Expression {
  const name = attributes.string(1) ?? '';
  // It has nothing to say of itself.
  if (name === 'notrack') return { kind: 'notrack' };
  const data = attributes.nested(2);
  const known = data && readKnown(name, data);
  return known ?? { kind: 'other', name, data: Uint8Array.from(attributes.bytes(2) ?? []) };
}

/** Undefined for what we never write: another expression, or a known one with keys that we do not use. */
function readKnown(name: string, data: Attributes): Expression | undefined {
  const number = (type: number) => data.u32be(type) ?? 0;
  switch (name) {
    case 'payload': {
      const base = payloadBases[number(2)];
      if (!base) return undefined;
      if (data.has(5)) return readPayloadSet(data, base);
      return { kind: 'payload', base, offset: number(3), length: number(4), to: number(1) };
    }
    case 'meta': {
      const key = nameOf(metaKeys, number(2));
      if (!key) return undefined;
      return data.has(3) ? { kind: 'meta set', key, from: number(3) } : { kind: 'meta', key, to: number(1) };
    }
    case 'ct':
      return readConnection(data);
    case 'cmp': {
      const comparison = comparisons[number(2)];
      return comparison && { kind: 'cmp', comparison, register: number(1), value: readValue(data.nested(3)) };
    }
    case 'bitwise':
      // Operations other than mask-and-xor came later and have a number.
      if (number(6) !== 0) return undefined;
      return {
        kind: 'bitwise',
        from: number(1),
        to: number(2),
        mask: readValue(data.nested(4)),
        xor: readValue(data.nested(5)),
      };
    case 'lookup':
      return {
        kind: 'lookup',
        set: data.string(1) ?? '',
        register: number(2),
        ...(data.has(3) && { to: number(3) }),
        ...(number(5) & 1 && { invert: true }),
      };
    case 'immediate': {
      const verdict = readVerdict(data.nested(2)?.nested(2));
      if (verdict) return { kind: 'verdict', verdict };
      return { kind: 'immediate', to: number(1), value: readValue(data.nested(2)) };
    }
    case 'log': {
      const group = data.u16be(1);
      return { kind: 'log', prefix: data.string(2) ?? '', ...(group !== undefined && { group }) };
    }
    case 'masq':
      return { kind: 'masq', ...readRandom(number(1)), ...readPorts(data, 2) };
    case 'nat':
      return {
        kind: 'nat',
        side: number(1) === 0 ? 'source' : 'destination',
        family: number(2) === families.ip ? 4 : 6,
        address: number(3),
        ...readRandom(number(7)),
        ...readPorts(data, 5),
      };
    case 'reject':
      if (number(1) === 1) return { kind: 'reject', by: 'tcp reset' };
      return number(1) === 2 && data.u8(2) === 1 ? { kind: 'reject', by: 'port unreachable' } : undefined;
    case 'limit':
      return {
        kind: 'limit',
        rate: data.u64be(1) ?? 0n,
        seconds: data.u64be(2) ?? 0n,
        burst: number(3),
        unit: number(4) === 0 ? 'packets' : 'bytes',
        ...(number(5) & 1 && { isOver: true }),
      };
    case 'connlimit':
      return { kind: 'connlimit', count: number(1), ...(number(2) & 1 && { isOver: true }) };
    case 'counter':
      return { kind: 'counter', bytes: data.u64be(1) ?? 0n, packets: data.u64be(2) ?? 0n };
    default:
      return undefined;
  }
}

/** Undefined where the packet is written otherwise than we do. */
function readPayloadSet(data: Attributes, base: (typeof payloadBases)[number]): Expression | undefined {
  if (base === 'link') return undefined;
  const hasChecksum = data.u32be(6) === 1;
  return {
    kind: 'payload set',
    base,
    offset: data.u32be(3) ?? 0,
    length: data.u32be(4) ?? 0,
    from: data.u32be(5) ?? 0,
    ...(hasChecksum && { checksumAt: data.u32be(7) ?? 0 }),
  };
}

function readRandom(flags: number): { isRandom?: true } {
  return flags & natFlags.random ? { isRandom: true } : {};
}

/** `first` is the attribute of the lower end's register; the next is the upper end's. */
function readPorts(data: Attributes, first: number): { portMin?: number; portMax?: number } {
  const portMin = data.u32be(first);
  return portMin === undefined ? {} : { portMin, portMax: data.u32be(first + 1) ?? portMin };
}

function readConnection(data: Attributes): Expression | undefined {
  const number = data.u32be(2);
  const direction = data.u8(3);
  const key = nameOf(connectionKeys, number);
  const source = data.u32be(4);
  if (source !== undefined)
    return key === 'mark' || key === 'zone' ? { kind: 'ct set', key, from: source } : undefined;
  const to = data.u32be(1) ?? 0;
  if (key) return { kind: 'ct', key, to };
  // The kernel does not tell the direction of the protocol, which is the same both ways.
  const tupleKey = nameOf(tupleKeys, number);
  return (
    tupleKey && { kind: 'ct tuple', key: tupleKey, direction: direction === 1 ? 'reply' : 'original', to }
  );
}

function readValue(data: Attributes | undefined): Uint8Array {
  return Uint8Array.from(data?.bytes(1) ?? []);
}

function readVerdict(data: Attributes | undefined): Verdict | undefined {
  if (!data) return undefined;
  const code = nameOf(verdicts, (data.u32be(1) ?? 0) | 0);
  if (code === undefined) return undefined;
  return code === 'jump' || code === 'goto' ? { code, chain: data.string(2) ?? '' } : { code };
}

function readComment(userdata: Buffer | undefined): string | undefined {
  if (userdata?.[0] !== 0) return undefined;
  return userdata.toString('utf8', 2, 1 + (userdata[1] ?? 1));
}
