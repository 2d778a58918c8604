// What values of parameters look like: as text, the way environment and file have them, and as the resource's own field.
// A kind reads either, and says in words what it would have taken.
import {
  type Cidr,
  type Family,
  formatAddress,
  protocolNumber,
  type Range,
  tryParseAddress,
  tryParseCidr,
  tryParseNet,
} from '../../net/index.ts';
import { tryDurationMs } from '../../process/index.ts';

/** Reads values of one sort. */
export interface Kind<T> {
  /** What a right value is, in words that follow "it must be". */
  readonly what: string;
  /** `raw` is text, or what the resource's field holds as far as `takes` lets it. Undefined for what is no such value. */
  read(raw: unknown): T | undefined;
  /** Of what sort a value may be besides text, numbers and flags; none of these when absent. `readAs` keeps others away. */
  readonly takes?: 'lists' | 'objects' | 'anything';
  /** What the word "none" stands for, which takes away what a later source would say; absent where a value is a must. */
  readonly none?: T;
}

/** What the kind reads of whatever somebody may have put there. Undefined for what is no such value; never throws. */
export function readAs<T>({ read, takes }: Kind<T>, raw: unknown): T | undefined {
  const sort = Array.isArray(raw) ? 'lists' : 'objects';
  const isPlain = typeof raw !== 'object' || raw === null;
  return isPlain || takes === 'anything' || takes === sort ? read(raw) : undefined;
}

/** A port of the host, or of others towards the host, that no policy closes. */
export interface HostPort {
  /** IANA number. */
  readonly protocol: number;
  readonly port: number;
  /** Only towards these addresses; any when absent. */
  readonly net?: Cidr;
}

/** So many in a span of time. */
export interface Rate {
  readonly count: number;
  readonly seconds: number;
}

export const flag: Kind<boolean> = {
  what: '"true" or "false"',
  read(raw) {
    const text = String(raw).toLowerCase();
    if (['true', '1', 'yes', 'y', 't'].includes(text)) return true;
    return ['false', '0', 'no', 'n', 'f'].includes(text) ? false : undefined;
  },
};

/** As text, and empty where nobody says it. */
export const flagOrUnsaid: Kind<string> = {
  what: flag.what,
  none: '',
  read: (raw) => ['', 'true', 'false'].find((one) => one === String(raw).toLowerCase()),
};

/** Decimal, or with 0x in front. */
export function integer(least: number, most: number): Kind<number> {
  return {
    what: `a whole number from ${least} to ${most}`,
    read(raw) {
      const text = String(raw).trim();
      const value = /^(-?\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? value : undefined;
    },
  };
}

export const port = integer(0, 65535);
export const mtu = integer(0, 65535);
export const count = integer(0, 2 ** 31 - 1);

/** Milliseconds of a duration as Go writes them ("1m30s"), or of a plain number of the unit that the variable's name says. */
function span(unitMs: number, unit: string): Kind<number> {
  return {
    what: `a duration such as "90s", or a number of ${unit}`,
    read: (raw) => tryDurationMs(String(raw).trim(), unitMs),
  };
}

export const duration = span(1000, 'seconds');
export const shortDuration = span(1, 'milliseconds');

/** One of these words in upper, lower or mixed case. */
export function word<const Words extends readonly string[]>(...words: Words): Kind<Words[number]> {
  return {
    what: words.map((one) => `"${one}"`).join(' or '),
    read: (raw) => words.find((one) => one.toLowerCase() === String(raw).toLowerCase()),
  };
}

export const onOff = word('Enabled', 'Disabled');
export const severity = word('Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal');

/** Any text, or text that a pattern describes. */
export function text(pattern = /^[^\n]*$/, what = 'one line of text'): Kind<string> {
  return { what, none: '', read: (raw) => (typeof raw === 'string' && pattern.test(raw) ? raw : undefined) };
}

/** Kept as it comes, because nothing here asks for it. */
export const anything: Kind<unknown> = {
  what: 'anything',
  none: '',
  takes: 'anything',
  read: (raw) => raw,
};

/** Undefined inside of `value` when the text is empty: nothing matches then, or everything, as the parameter says. */
export const pattern: Kind<{ readonly value: RegExp | undefined }> = {
  what: 'a regular expression',
  none: { value: undefined },
  read(raw) {
    try {
      return { value: raw === '' ? undefined : new RegExp(String(raw)) };
    } catch {
      // That it is none is what the caller is told.
      return undefined;
    }
  },
};

/** A list in one text, with commas, or as the resource's own list; undefined when one of its items is no such value. */
export function listOf<T>(item: Kind<T>): Kind<readonly T[]> {
  return {
    what: `a list, with commas between, of which each is ${item.what}`,
    none: [],
    takes: 'lists',
    read(raw) {
      const parts = Array.isArray(raw) ? raw : splitList(String(raw));
      const values = parts.map((part) => readAs(item, typeof part === 'string' ? part.trim() : part));
      return values.every((value) => value !== undefined) ? (values as T[]) : undefined;
    },
  };
}

function splitList(raw: string): string[] {
  return raw.trim() === '' ? [] : raw.split(',');
}

/** IFNAMSIZ less its zero byte. */
const mostNameBytes = 15;

function ofName(pattern: RegExp, what: string): Kind<string> {
  const { read, ...kind } = text(pattern, `${what}, at most ${mostNameBytes} bytes`);
  return { ...kind, read: (raw) => (Buffer.byteLength(String(raw)) > mostNameBytes ? undefined : read(raw)) };
}

/** No character that a name cannot have or that would be a pattern. */
export const interfaceName = ofName(/^[^\s/:*]+$/, 'the name of an interface or how it begins');

/** As iptables has it: "eth0", or "eth+" for all that begin so. Empty for any. */
export const interfaceFilter = ofName(/^[^\s/:]*$/, 'the name of an interface, or how it begins and a "+"');

/** A name as it is, or a pattern between slashes: "/^veth/". */
export const interfacePattern: Kind<RegExp> = {
  what: 'the name of an interface, or a regular expression between slashes',
  read(raw) {
    const name = String(raw);
    try {
      if (/^\/.+\/$/.test(name)) return new RegExp(name.slice(1, -1));
    } catch {
      return undefined;
    }
    return name === '' ? undefined : new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
  },
};

/** Empty for none. */
export function address(family: 4 | 6): Kind<string> {
  return {
    what: `an IPv${family} address`,
    none: '',
    read: (raw) => (raw === '' || tryParseAddress(String(raw))?.family === family ? String(raw) : undefined),
  };
}

/** One address, or one of each family with a comma between. */
export const addressPerFamily: Kind<Readonly<Partial<Record<Family, string>>>> = {
  what: 'an address, or one of each family with a comma between',
  none: {},
  read(raw) {
    const parts = splitList(String(raw)).map((part) => tryParseAddress(part.trim()));
    const entries = parts.flatMap((part) => (part ? [[part.family, formatAddress(part)] as const] : []));
    const perFamily = Object.fromEntries(entries);
    return Object.keys(perFamily).length === parts.length ? perFamily : undefined;
  },
};

/** A CIDR or a single address. */
export const net: Kind<Cidr> = {
  what: 'a CIDR or an address',
  read: (raw) => tryParseCidr(String(raw)) ?? tryParseNet(String(raw)),
};

/** "20000:29999", or one port. */
export const portRange: Kind<Range<number>> = {
  what: 'a port or a range of ports such as "20000:29999"',
  read(raw) {
    const [first, last = first] = String(raw)
      .split(':')
      .map((part) => port.read(part));
    return first !== undefined && last !== undefined && first <= last ? { first, last } : undefined;
  },
};

/** Nothing for "0" and for the empty text: any port. */
export const anyPortOrRange: Kind<{ readonly range: Range<number> | undefined }> = {
  what: `${portRange.what}, or 0 for any`,
  none: { range: undefined },
  read(raw) {
    if (raw === '' || String(raw) === '0') return { range: undefined };
    const range = portRange.read(raw);
    return range && range.first > 0 ? { range } : undefined;
  },
};

/** "tcp:22", "22", "tcp:10.0.0.0/8:22", "udp:[fd00::]/8:53", or the resource's object. */
export const hostPort: Kind<HostPort> = {
  what: 'a port such as "tcp:22" or "udp:10.0.0.0/8:53"',
  takes: 'objects',
  read(raw) {
    if (typeof raw === 'object' && raw !== null) {
      const { protocol = 'TCP', port, net } = raw as Readonly<Record<string, unknown>>;
      if (typeof protocol !== 'string' || typeof port !== 'number') return undefined;
      return net === undefined || typeof net === 'string'
        ? hostPortOf(protocol, String(port), net)
        : undefined;
    }
    const [, protocol = 'tcp', net, number = ''] = /^(?:(\w+):)?(?:(.+):)?(\d+)$/.exec(String(raw)) ?? [];
    return hostPortOf(protocol, number, net?.replace(/^\[(.*)\]/, '$1'));
  },
};

function hostPortOf(protocol: string, number: string, cidr: string | undefined): HostPort | undefined {
  const proto = protocolNumber(protocol.toUpperCase());
  const value = port.read(number);
  const parsed = cidr === undefined ? undefined : net.read(cidr);
  if (proto === undefined || value === undefined || value === 0) return undefined;
  if (cidr !== undefined && !parsed) return undefined;
  return { protocol: proto, port: value, ...(parsed && { net: parsed }) };
}

/** Bits of the packet's and the connection's mark; with too few of them nothing can be noted. */
export const markMask: Kind<number> = {
  what: 'a mask of 32 bits of which at least 8 are set, such as 0xffff0000',
  read(raw) {
    const value = integer(0, 2 ** 32 - 1).read(raw);
    return value !== undefined && value.toString(2).replaceAll('0', '').length >= 8 ? value : undefined;
  },
};

const spans: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3600, day: 86_400 };

/** "10/second"; nothing for the empty text: no limit. */
export const rate: Kind<{ readonly rate: Rate | undefined }> = {
  what: 'a rate such as "10/second", of second, minute, hour or day',
  none: { rate: undefined },
  read(raw) {
    if (raw === '') return { rate: undefined };
    const [, number, unit = ''] = /^([1-9]\d{0,3})\/(second|minute|hour|day)$/.exec(String(raw)) ?? [];
    return number === undefined ? undefined : { rate: { count: Number(number), seconds: spans[unit] ?? 1 } };
  },
};
