// What the lab and its prober say to each other. The prober is a process of its own, because it works synchronously: it
// switches network namespaces on its main thread and waits in the kernel, which would hold up everything else.
import type { Transport } from '../matrix/matrix.ts';

/** For ICMP, a port is type * 256 + code. */
export type ProbeProtocol = Transport | 'icmp';

/** A node: where sentinels come from, and one end of every barrier. */
export interface ProberNode {
  readonly name: string;
  readonly namespacePath: string;
  /** An address of the node that other nodes reach by the way that pod traffic takes between nodes. */
  readonly address: string;
}

/** A pod to answer in: its probe server listens on these ports from the moment that it is added. */
export interface ProberPod {
  /** "namespace/name". */
  readonly key: string;
  readonly node: string;
  readonly namespacePath: string;
  readonly ip: string;
  readonly listen: readonly { readonly protocol: Transport; readonly port: number }[];
}

/** A flow to probe without pause: from one pod to a port of another. */
export interface StreamFlow {
  readonly from: string;
  readonly to: string;
  readonly port: number;
}

export interface ProbeResult {
  /** Pairs of positions, in the pods as they were asked for: [sender, receiver] of each probe that arrived. */
  readonly open: readonly (readonly [number, number])[];
}

export interface StreamResult {
  /** How many probes were sent. */
  readonly probes: number;
  /** CLOCK_MONOTONIC in ns, in decimal: when the last probe left that still met the old verdict; 0 when none did. */
  readonly lastOldAt: string;
  /** Likewise: when the first probe left that met the new verdict, on the flow that turned last. */
  readonly turnedAt: string;
  /** Time between two probes of one flow, in ms: the usual and the longest. */
  readonly medianGapMs: number;
  readonly widestGapMs: number;
}

/** What became of the probes of one flow and kind of packet. */
export interface LaneReport {
  /** "a/b to c/d on udp/53 (new flows)". */
  readonly name: string;
  readonly sent: number;
  readonly arrived: number;
  /** From the first to the last of the longest row of probes that did not arrive; 0 when all did. */
  readonly longestLossMs: number;
  /** The same of probes that did. */
  readonly longestPassMs: number;
}

/** Requests by name, with what each asks and answers. */
export interface ProberRequests {
  addNode: { ask: ProberNode; answer: null };
  addPod: { ask: ProberPod; answer: null };
  removePod: { ask: { readonly key: string }; answer: null };
  /** Probes every pod from every pod; a receiver without a port is not probed, and so not reached. */
  probe: {
    ask: {
      readonly protocol: ProbeProtocol;
      readonly pods: readonly { readonly key: string; readonly port: number | null }[];
    };
    answer: ProbeResult;
  };
  /** Begins to probe the flows without pause. Answers when the stream has got up to speed. */
  startStream: {
    ask: { readonly protocol: 'udp' | 'tcp'; readonly flows: readonly StreamFlow[] };
    answer: null;
  };
  /** Ends the stream wherever it is, and tells how each lane fared. */
  stopStream: { ask: Readonly<Record<string, never>>; answer: { readonly lanes: readonly LaneReport[] } };
  /** Goes on until every flow has turned to the verdict, then ends the stream. Rejects when one has not by the deadline. */
  endStream: {
    ask: { readonly verdict: 'open' | 'blocked'; readonly deadlineMs: number };
    answer: StreamResult;
  };
}

export type RequestName = keyof ProberRequests;

export interface RequestMessage<N extends RequestName = RequestName> {
  readonly id: number;
  readonly name: N;
  readonly ask: ProberRequests[N]['ask'];
}

export type ResponseMessage = { readonly id: number } & (
  | { readonly answer: ProberRequests[RequestName]['answer'] }
  | { readonly error: string }
);
