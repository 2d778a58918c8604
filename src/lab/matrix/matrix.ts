// The reachability matrix: which pod reached which, on which port. Holds what was observed and compares it, cell by cell,
// with what was expected; it neither probes nor prints.

/** What a probe is sent with. */
export type Transport = 'tcp' | 'udp' | 'sctp';

/** A pod as the matrix sees it: where it runs, and the ports that its probe server answers on. */
export interface ProbedPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly ip: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name: string; readonly protocol: Transport; readonly port: number }[];
}

/** A port to probe on every pod: by number, or by name, in which case each pod has its own number for it. */
export interface Channel {
  readonly protocol: Transport;
  readonly port: string | number;
}

/** What a policy author would say of one cell. A pod always reaches itself. */
export type Expectation = (from: ProbedPod, to: ProbedPod, channel: Channel) => boolean;

export interface Difference {
  readonly from: ProbedPod;
  readonly to: ProbedPod;
  readonly channel: Channel;
  readonly expected: boolean;
}

/** Every pod by every pod, on every channel. */
export class Matrix {
  readonly pods: readonly ProbedPod[];
  readonly channels: readonly Channel[];
  readonly #open: Uint8Array;

  /** Starts with every cell blocked. */
  constructor(pods: readonly ProbedPod[], channels: readonly Channel[]) {
    this.pods = pods;
    this.channels = channels;
    this.#open = new Uint8Array(channels.length * pods.length * pods.length);
  }

  /** Positions are those in `pods` and `channels`. @throws RangeError outside of them. */
  setOpen(channel: number, from: number, to: number): void {
    this.#open[this.#cell(channel, from, to)] = 1;
  }

  isOpen(channel: number, from: number, to: number): boolean {
    return this.#open[this.#cell(channel, from, to)] === 1;
  }

  /** Whether there is anything to probe: a receiver need not have a port of every name. */
  isProbed(channel: number, to: number): boolean {
    const [asked, pod] = [this.channels[channel], this.pods[to]];
    return asked !== undefined && pod !== undefined && portOn(pod, asked) !== undefined;
  }

  /** How many cells were probed. */
  get cellCount(): number {
    const columns = this.pods.flatMap((_, to) => this.channels.filter((_, c) => this.isProbed(c, to)));
    return columns.length * this.pods.length;
  }

  get openCount(): number {
    return this.#open.reduce((sum, cell) => sum + cell, 0);
  }

  /** Every probed cell that is not as expected, in reading order; empty when the matrix is right. */
  differences(expectation: Expectation): Difference[] {
    const found: Difference[] = [];
    for (const [f, from] of this.pods.entries()) {
      for (const [t, to] of this.pods.entries()) {
        for (const [c, channel] of this.channels.entries()) {
          if (!this.isProbed(c, t)) continue;
          const expected = expectation(from, to, channel);
          if (this.isOpen(c, f, t) !== expected) found.push({ from, to, channel, expected });
        }
      }
    }
    return found;
  }

  #cell(channel: number, from: number, to: number): number {
    const size = this.pods.length;
    if (channel >= this.channels.length || from >= size || to >= size || channel < 0 || from < 0 || to < 0) {
      throw new RangeError(`There is no cell (${channel}, ${from}, ${to}) in a matrix of ${size} pods`);
    }
    return (channel * size + from) * size + to;
  }
}

/** "tcp/http", "udp/53". */
export function channelName(channel: Channel): string {
  return `${channel.protocol}/${channel.port}`;
}

/** The number that a channel means on a pod; undefined when the pod has no port of that name. */
export function portOn(pod: ProbedPod, channel: Channel): number | undefined {
  if (typeof channel.port === 'number') return channel.port;
  return pod.ports.find((port) => port.name === channel.port && port.protocol === channel.protocol)?.port;
}

/** One sentence on one wrong cell. */
export function describeDifference({ from, to, channel, expected }: Difference): string {
  const cell = `${from.namespace}/${from.name} (${from.node}) to ${to.namespace}/${to.name} (${to.node}) on ${channelName(channel)}`;
  return expected ? `${cell} is blocked and should be open` : `${cell} is open and should be blocked`;
}
