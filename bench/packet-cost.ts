// What a packet between two pods of a node costs in the kernel: the first of a new flow, and one of a flow that goes on; beside
// plain forwarding, with few policies and with thousands of others, and with sets of a quarter of a million members. Sending is
// synchronous over veth, so the sender's system call takes as long as the packet's whole way.
import { execFileSync } from 'node:child_process';
import { Calculator, interfaceNameOf } from '../src/calc/index.ts';
import { NftablesDataplane } from '../src/dataplane/index.ts';
import {
  closeNamespace,
  createNamespace,
  deleteNamespace,
  InetSocket,
  Nftables,
  namespacePath,
  openNamespace,
  writeSysctls,
} from '../src/kernel/index.ts';
import { encodeUdpStart } from '../src/lab/prober/flow-packet.ts';
import type { GlobalNetworkSet, HostEndpoint, NetworkPolicy, Pod } from '../src/resources/index.ts';

const rounds = 40;
const packets = 500;
const port = 5_000;
const selecting = 20;
const apiVersion = 'projectcalico.org/v3';
const pods = [
  { name: 'client', ip: '10.70.0.1' },
  { name: 'server', ip: '10.70.0.2' },
] as const;
const [client, server] = pods;

/** A node with both pods; `name` is the start of the namespaces' names. */
class Node {
  readonly #names: string[];
  readonly #spaces: number[];
  readonly #sockets: InetSocket[];
  readonly #raw: InetSocket;
  readonly #flow: InetSocket;
  readonly #receiver: InetSocket;
  readonly namespace: number;
  /** Of the node's namespace. */
  readonly name: string;
  #next = 0;

  constructor(name: string) {
    this.#names = [`${name}-node`, ...pods.map((pod) => `${name}-${pod.name}`)];
    this.name = `${name}-node`;
    for (const each of this.#names) createNamespace(each);
    this.#spaces = this.#names.map((each) => openNamespace(namespacePath(each)));
    const [node = 0, from = 0, to = 0] = this.#spaces;
    this.namespace = node;
    for (const [index, pod] of pods.entries()) this.#wire(this.#names[index + 1] ?? '', pod);
    writeSysctls(node, { 'net/ipv4/ip_forward': 1 });
    this.#raw = InetSocket.open({ namespace: from, family: 4, type: 'raw', protocol: 17 });
    this.#raw.bind({ address: client.ip, port: 0 });
    this.#flow = InetSocket.open({ namespace: from, family: 4, type: 'datagram' });
    this.#receiver = InetSocket.open({
      namespace: to,
      family: 4,
      type: 'datagram',
      receiveBufferBytes: 8 << 20,
    });
    this.#receiver.bind({ address: server.ip, port });
    this.#flow.bind({ address: client.ip, port: 4_000 });
    this.#sockets = [this.#raw, this.#flow, this.#receiver];
  }

  /** Nanoseconds per packet of a flow that goes on. @throws Error when not all arrive */
  going(): number {
    // The server has answered, so that the flow is one of both directions.
    this.#flow.sendTo(Buffer.from('0'), { address: server.ip, port });
    this.#receiver.receiveFrom();
    this.#receiver.sendTo(Buffer.from('0'), { address: client.ip, port: 4_000 });
    this.#flow.receive();
    const data = Buffer.from('1234');
    return this.#timed(() => this.#flow.sendTo(data, { address: server.ip, port }));
  }

  /** Nanoseconds per first packet of a new flow. */
  starting(): number {
    const starts = Array.from({ length: packets }, () => {
      const id = this.#next++;
      return encodeUdpStart({
        source: client.ip,
        destination: server.ip,
        sourcePort: 10_000 + id,
        destinationPort: port,
        id,
      });
    });
    let index = 0;
    return this.#timed(() =>
      this.#raw.sendTo(starts[index++] ?? new Uint8Array(), { address: server.ip, port: 0 }),
    );
  }

  remove(): void {
    for (const socket of this.#sockets) socket.close();
    for (const space of this.#spaces) closeNamespace(space);
    for (const name of this.#names) deleteNamespace(name);
  }

  #timed(send: () => void): number {
    const started = process.hrtime.bigint();
    for (let sent = 0; sent < packets; sent++) send();
    const spent = Number(process.hrtime.bigint() - started);
    let arrived = 0;
    while (this.#receiver.receiveFrom()) arrived++;
    if (arrived !== packets) throw new Error(`${arrived} of ${packets} packets arrived`);
    return spent / packets;
  }

  #wire(podNamespace: string, { name, ip }: (typeof pods)[number]): void {
    const [node = ''] = this.#names;
    const host = interfaceNameOf('bench', name);
    const run = (namespace: string, ...lines: string[]) =>
      execFileSync('ip', ['-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` });
    run(
      node,
      `link add ${host} type veth peer name eth0 netns ${podNamespace}`,
      `link set ${host} up`,
      `addr add 169.254.1.1/32 dev ${host}`,
      `route add ${ip}/32 dev ${host}`,
    );
    run(
      podNamespace,
      'link set lo up',
      'link set eth0 up',
      `addr add ${ip}/32 dev eth0`,
      'route add 169.254.1.1 dev eth0',
      'route add default via 169.254.1.1 dev eth0',
    );
  }
}

interface Programmed {
  /** When connections have begun to remember that they are permitted. */
  settled(): Promise<void>;
  close(): void;
}

/** Brings policies into the node's kernel: so many of which twenty select the server, and the last of these permits. */
function program(
  node: Node,
  policies: number,
  setMembers: number,
  hostEndpoints: readonly HostEndpoint[] = [],
): Programmed {
  const calculator = new Calculator({ node: 'here' });
  calculator.setNamespace({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } });
  for (const { name, ip } of pods) {
    calculator.setPod({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'bench', name, uid: name, labels: { app: name } },
      spec: { nodeName: 'here', containers: [{ name: 'main', image: 'any' }] },
      status: { podIPs: [{ ip }] },
    } as Pod);
  }
  for (const endpoint of hostEndpoints) calculator.setHostEndpoint(endpoint);
  const networkSet: GlobalNetworkSet = {
    apiVersion,
    kind: 'GlobalNetworkSet',
    metadata: { name: 'big', labels: { set: 'big' } },
    spec: {
      nets: Array.from({ length: setMembers }, (_, n) => `11.${n >> 16}.${(n >> 8) & 255}.${n & 255}/32`),
    },
  };
  calculator.setNetworkSet(networkSet);
  for (let number = 0; number < policies; number++) {
    const isSelecting = number < selecting;
    const isLast = number === selecting - 1;
    const policy: NetworkPolicy = {
      apiVersion,
      kind: 'NetworkPolicy',
      metadata: { namespace: 'bench', name: `policy-${number}` },
      spec: {
        order: number,
        selector: isSelecting ? "app == 'server'" : `app == 'nobody-${number % 500}'`,
        types: ['Ingress'],
        ingress: [
          { action: 'Deny', source: { selector: "set == 'big'" } },
          {
            action: 'Allow',
            protocol: 'UDP',
            source: { selector: `app == 'other-${number % 50}'` },
            destination: { ports: [port] },
          },
          ...(isLast
            ? [{ action: 'Allow', protocol: 'UDP', source: { selector: "app == 'client'" } } as const]
            : []),
        ],
      },
    };
    calculator.setNetworkPolicy(policy);
  }
  const nftables = Nftables.open({ namespace: node.namespace });
  const dataplane = new NftablesDataplane(nftables, {
    endpointToHostAction: 'Accept',
    logPrefix: 'calico-packet',
    forgetJudgements: async () => {},
    onTrouble: (error) => {
      throw error;
    },
  });
  dataplane.apply(calculator.state, calculator.takeChanges());
  return { settled: () => dataplane.settled(), close: () => nftables.close() };
}

const hostEndpoint: HostEndpoint = {
  apiVersion,
  kind: 'HostEndpoint',
  metadata: { name: 'here', labels: {} },
  spec: { node: 'here', interfaceName: '*', profiles: ['projectcalico-default-allow'] },
};

const cases: readonly (readonly [title: string, prepare: (node: Node) => Programmed | undefined])[] = [
  ['plain forwarding', () => undefined],
  [
    'forwarding with connection tracking alone',
    ({ name }) => {
      const rule =
        'table inet track { chain forward { type filter hook forward priority 0; ct state new counter; }; }';
      execFileSync('nsenter', [`--net=${namespacePath(name)}`, 'nft', rule]);
      return undefined;
    },
  ],
  ['20 policies, all select the pod', (node) => program(node, selecting, 10)],
  ['10,000 policies, of which 20 select the pod', (node) => program(node, 10_000, 10)],
  ['20 policies, each asks a set of 250,000 members', (node) => program(node, selecting, 250_000)],
  ['20 policies, on a node with a host endpoint', (node) => program(node, selecting, 10, [hostEndpoint])],
];

function quantiles(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
  return `p50 ${at(0.5)} ns, p99 ${at(0.99)} ns`;
}

const set = cases.map(([title, prepare], index) => {
  const node = new Node(`bench-${process.pid}-${index}`);
  return { title, node, programmed: prepare(node), going: [] as number[], starting: [] as number[] };
});
try {
  for (const { programmed } of set) await programmed?.settled();
  // In turn, so that whatever else the machine does befalls all of them.
  for (let round = 0; round < rounds; round++) {
    for (const { node, going, starting } of set) {
      going.push(node.going());
      starting.push(node.starting());
    }
  }
  for (const { title, going, starting } of set) {
    console.log(
      `${title}: a packet of a flow that goes on ${quantiles(going)}; the first of a new flow ${quantiles(starting)}`,
    );
  }
  console.log(
    `inputs: ${rounds} rounds of ${packets} UDP packets each, two pods on one node, all cases in turn`,
  );
} finally {
  for (const { node, programmed } of set) {
    programmed?.close();
    node.remove();
  }
}
