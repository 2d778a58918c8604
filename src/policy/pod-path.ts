// What a pod's annotations ask of its packets' path: limits, a DSCP value, further source addresses, floating addresses.
// Bounds and defaults are upstream's. What cannot be read is left out, and said.
import { formatAddress, formatCidr, tryParseAddress, tryParseNet } from '../net/index.ts';
import { type Pod, parseQuantity } from '../resources/index.ts';
import { podAnnotations } from './annotations.ts';

/** All of it plain data that JSON can tell; what is absent was not asked for. */
export interface PodPath {
  /** CIDRs of sources that the pod may use besides its own addresses, where the node's settings let it. */
  readonly allowedSources?: readonly string[];
  /** Canonical addresses under which the pod is reached besides its own, where the node's settings let it. */
  readonly floatingIps?: readonly string[];
  /** 0 to 63: what its packets to outside of the cluster carry. */
  readonly dscp?: number;
  /** What goes to the pod, and what comes from it. */
  readonly ingress?: TrafficLimits;
  readonly egress?: TrafficLimits;
}

export interface TrafficLimits {
  readonly bandwidth?: Bandwidth;
  readonly packets?: { readonly perSecond: number; readonly burst: number };
  readonly connections?: number;
}

export interface Bandwidth {
  readonly bitsPerSecond: number;
  readonly burstBits: number;
  /** How fast a burst may go; as fast as it likes when absent. */
  readonly peak?: { readonly bitsPerSecond: number; readonly minBurstBytes: number };
}

type Direction = 'ingress' | 'egress';

const [kilo, mega, peta] = [1e3, 1e6, 1e15];
const mostBurstBits = 34_359_738_360;
const bounds = {
  Bandwidth: [kilo, peta],
  Burst: [kilo, mostBurstBits],
  Peakrate: [1.01 * kilo, 1.01 * peta],
  Minburst: [kilo, 100 * mega],
  PacketRate: [1, 10 * kilo],
  PacketBurst: [1, 10 * kilo],
  MaxConnections: [1, 2 ** 32 - 1],
} as const;
const defaultBurstBits = 4 * 2 ** 30;
const defaultPacketBurst = 5;
/** An Ethernet frame: a bucket that is smaller lets nothing through. */
const defaultMinBurstBytes = 1500;

/** Undefined for a pod that asks for nothing. `faults` are sentences that name the annotation. */
export function podPathOf({ metadata }: Pod): { path: PodPath | undefined; faults: string[] } {
  const annotations = metadata.annotations ?? {};
  const faults: string[] = [];
  const read = <T>(name: string, what: string, parse: (text: string) => T | undefined): T | undefined => {
    const text = annotations[name];
    if (text === undefined || text === '') return undefined;
    const value = parse(text);
    if (value === undefined)
      faults.push(`annotation ${name} is "${text}"; it must be ${what}; it is left out`);
    return value;
  };
  const allowedSources = read(podAnnotations.allowedSourcePrefixes, 'a JSON list of CIDRs', (text) =>
    listOf(text, (item) => {
      const net = tryParseNet(item);
      return net && formatCidr(net);
    }),
  );
  const floatingIps = read(podAnnotations.floatingIps, 'a JSON list of addresses', (text) =>
    listOf(text, (item) => {
      const address = tryParseAddress(item);
      return address && formatAddress(address);
    }),
  );
  const dscp = read('qos.projectcalico.org/dscp', 'a number from 0 to 63 or a name such as "EF"', readDscp);
  const path: PodPath = {
    ...(allowedSources && { allowedSources }),
    ...(floatingIps && { floatingIps }),
    ...(dscp !== undefined && { dscp }),
    ...limitsOf('ingress', read),
    ...limitsOf('egress', read),
  };
  return { path: Object.keys(path).length > 0 ? path : undefined, faults };
}

type Read = <T>(name: string, what: string, parse: (text: string) => T | undefined) => T | undefined;

function limitsOf(direction: Direction, read: Read): Partial<Record<Direction, TrafficLimits>> {
  const number = (name: keyof typeof bounds) => {
    const [least, most] = bounds[name];
    const annotation = `qos.projectcalico.org/${direction}${name}`;
    return read(annotation, `a quantity from ${least} to ${most}`, (text) => quantityIn(text, least, most));
  };
  // Kubernetes' own annotation, which Calico's overrides.
  const bitsPerSecond =
    number('Bandwidth') ??
    read(`kubernetes.io/${direction}-bandwidth`, 'a quantity from 1k to 1P', (text) =>
      quantityIn(text, ...bounds.Bandwidth),
    );
  const burstBits = number('Burst') ?? defaultBurstBits;
  const peakBits = number('Peakrate');
  const minBurstBytes = number('Minburst') ?? defaultMinBurstBytes;
  const perSecond = number('PacketRate');
  const burst = number('PacketBurst') ?? defaultPacketBurst;
  const connections = number('MaxConnections');
  const limits: TrafficLimits = {
    ...(bitsPerSecond !== undefined && {
      bandwidth: {
        bitsPerSecond,
        burstBits,
        ...(peakBits !== undefined && { peak: { bitsPerSecond: peakBits, minBurstBytes } }),
      },
    }),
    ...(perSecond !== undefined && { packets: { perSecond, burst } }),
    ...(connections !== undefined && { connections }),
  };
  return Object.keys(limits).length > 0 ? { [direction]: limits } : {};
}

function quantityIn(text: string, least: number, most: number): number | undefined {
  const nanos = parseQuantity(text);
  if (nanos === undefined) return undefined;
  const value = Number(nanos / 1_000_000_000n);
  return value >= least && value <= most ? value : undefined;
}

/** Assured forwarding: "AF" and two digits stand for eight times the class and twice the drop precedence (RFC 2597). */
function readDscp(text: string): number | undefined {
  const [, cs, af, drop] = /^(?:CS([0-6])|AF([1-4])([1-3]))$/i.exec(text) ?? [];
  if (cs !== undefined) return Number(cs) * 8;
  if (af !== undefined) return Number(af) * 8 + Number(drop) * 2;
  if (/^DF$/i.test(text)) return 0;
  if (/^EF$/i.test(text)) return 46;
  return /^\d{1,2}$/.test(text) && Number(text) <= 63 ? Number(text) : undefined;
}

/** Undefined when the text is no JSON list, or one of its items cannot be read. */
function listOf<T>(text: string, parse: (item: string) => T | undefined): T[] | undefined {
  let items: unknown;
  try {
    items = JSON.parse(text);
  } catch {
    // That it is no list is what the caller says.
    return undefined;
  }
  if (!Array.isArray(items)) return undefined;
  const values = items.map((item) => (typeof item === 'string' ? parse(item) : undefined));
  return values.every((value) => value !== undefined) ? (values as T[]) : undefined;
}
