// What becomes of connections that exist when policy changes: those that it forbids are cut at once, in both directions and
// whoever speaks first; those that it permits go on, however silent one side is.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  closeNamespace,
  InetSocket,
  inNamespace,
  openNamespace,
  pollReadable,
} from '../../src/kernel/index.ts';
import type { Cluster } from '../../src/policy/index.ts';
import type { KubernetesNetworkPolicy } from '../../src/resources/index.ts';
import { KernelCluster } from './kernel-cluster.ts';
import { policyCases } from './policy-cases.ts';

const free = policyCases[0]?.[1] as Cluster;

function withPolicy(spec: KubernetesNetworkPolicy['spec']): Cluster {
  const metadata = { namespace: 'red', name: 'change' };
  return {
    ...free,
    networkPolicies: [
      { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, ...(spec && { spec }) },
    ],
  };
}

const denied = withPolicy({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
/** Pod 1 may be spoken to by pod 3 and may open nothing itself: its answers are not its own opening. */
const ingressOnly = withPolicy({
  podSelector: {},
  policyTypes: ['Ingress', 'Egress'],
  ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'green' } } }] }],
});
/** Permits what there is without it: only the state of policy is another. */
const harmless = withPolicy({ podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] });
const egressOnly = withPolicy({ podSelector: {}, policyTypes: ['Ingress', 'Egress'], egress: [{}] });

/** Pods 1 and 3 live on node 2, pod 2 on node 1. */
const families = [
  [4, '10.1.0.'],
  [6, 'fd00:1::'],
] as const;

describe('an established connection', () => {
  let kernel: KernelCluster;
  const sockets: InetSocket[] = [];
  before(async () => {
    kernel = await KernelCluster.make('est');
  });
  after(() => kernel?.remove());
  beforeEach(async () => {
    for (const socket of sockets.splice(0)) socket.close();
    await kernel.become(free);
  });

  function open(path: string, family: 4 | 6, port: number): InetSocket {
    const namespace = openNamespace(path);
    const socket = inNamespace(namespace, () => InetSocket.open({ family, type: 'datagram' }));
    socket.bind({ address: family === 4 ? '0.0.0.0' : '::', port });
    sockets.push(socket);
    return socket;
  }

  /**
   * Whether a datagram gets from one pod to another. It has not when a later one from the receiver's own node, which always
   * may, has come and it has not. All packets of a process go one after another over veth.
   */
  function passes(
    sender: InetSocket,
    to: string,
    receiver: InetSocket,
    sentinel: InetSocket,
    port: number,
  ): boolean {
    sender.sendTo(Buffer.from('probe'), { address: to, port });
    sentinel.sendTo(Buffer.from('sentinel'), { address: to, port });
    let seen = false;
    for (;;) {
      const datagram = receiver.receiveFrom();
      if (!datagram) pollReadable([receiver], 5000);
      else if (datagram.data.toString() === 'probe') seen = true;
      else return seen;
    }
  }

  for (const [family, prefix] of families) {
    const address = (pod: number) => `${prefix}${pod + 1}`;

    /** A UDP connection between two pods, opened by the first, as both sides see it. */
    function connect(client: number, server: number) {
      const port = 5000 + sockets.length;
      const here = open(kernel.podNamespacePath(client), family, port);
      const there = open(kernel.podNamespacePath(server), family, port);
      const nodeOf = (pod: number) => open(kernel.nodeNamespacePath(1 + (pod % 2)), family, 0);
      const [nearClient, nearServer] = [nodeOf(client), nodeOf(server)];
      return {
        forth: () => passes(here, address(server), there, nearServer, port),
        back: () => passes(there, address(client), here, nearClient, port),
      };
    }

    for (const [where, client, server] of [
      ['on one node', 3, 1],
      ['between nodes', 2, 1],
    ] as const) {
      test(`to a pod that is denied is cut both ways (IPv${family}, ${where})`, async () => {
        const connection = connect(client, server);
        assert.deepEqual([connection.forth(), connection.back()], [true, true]);
        await kernel.become(denied);
        assert.deepEqual([connection.back(), connection.forth(), connection.back()], [false, false, false]);
      });

      test(`from a pod that is denied is cut both ways (IPv${family}, ${where})`, async () => {
        const connection = connect(server, client);
        assert.deepEqual([connection.forth(), connection.back()], [true, true]);
        await kernel.become(denied);
        assert.deepEqual([connection.back(), connection.forth()], [false, false]);
      });

      test(`that stays permitted goes on when only its answering side speaks (IPv${family}, ${where})`, async () => {
        const connection = connect(client, server);
        assert.deepEqual([connection.forth(), connection.back()], [true, true]);
        await kernel.become(ingressOnly);
        assert.deepEqual([connection.back(), connection.back(), connection.forth()], [true, true, true]);
      });

      test(`is not brought back by its answering side, which may open connections itself (IPv${family}, ${where})`, async () => {
        const connection = connect(client, server);
        assert.deepEqual([connection.forth(), connection.back()], [true, true]);
        await kernel.become(egressOnly);
        assert.deepEqual([connection.back(), connection.forth()], [false, false]);
      });

      test(`goes on when a policy that forbade it is lifted (IPv${family}, ${where})`, async () => {
        const connection = connect(client, server);
        assert.deepEqual([connection.forth(), connection.back()], [true, true]);
        await kernel.become(denied);
        assert.equal(connection.forth(), false);
        await kernel.become(free);
        assert.deepEqual([connection.back(), connection.forth()], [true, true]);
      });
    }

    test(`of TCP is cut or goes on likewise, whatever its age and whoever speaks first (IPv${family})`, async () => {
      const permitted: TcpConnection[] = [];
      const forbidden: TcpConnection[] = [];
      for (let age = 0; age < 6; age++) {
        await kernel.become(age % 2 === 0 ? harmless : free);
        const other = 2 + (age % 2);
        permitted.push(connectTcp(other, 1));
        forbidden.push(connectTcp(1, other));
      }
      const all = [...permitted, ...forbidden].flatMap(({ client, server }) => [client, server]);
      await kernel.become(ingressOnly);
      for (const order of [['server', 'client'] as const, ['client', 'server'] as const]) {
        // What is forbidden goes first: when what is permitted has come, it has had its turn.
        for (const speaker of order) {
          for (const connection of [...forbidden, ...permitted]) connection[speaker].send(Buffer.from('.'));
        }
        for (const socket of permitted.flatMap(({ client, server }) => [client, server])) {
          assert.ok(pollReadable([socket], 5000).length > 0, 'a permitted connection is mute');
          socket.receive();
        }
        assert.deepEqual(pollReadable(all, 0), []);
      }
    });

    function connectTcp(client: number, server: number): TcpConnection {
      const port = 6000 + sockets.length;
      const make = (pod: number) => {
        const namespace = openNamespace(kernel.podNamespacePath(pod));
        const socket = InetSocket.open({ family, type: 'stream', namespace });
        closeNamespace(namespace);
        socket.resetOnClose();
        sockets.push(socket);
        return socket;
      };
      const [listener, here] = [make(server), make(client)];
      listener.bind({ address: address(server), port });
      listener.listen();
      here.connect({ address: address(server), port });
      pollReadable([listener], 5000);
      const there = listener.accept()?.socket ?? assert.fail(`no connection from ${client} to ${server}`);
      there.resetOnClose();
      sockets.push(there);
      return { client: here, server: there };
    }
  }
});

interface TcpConnection {
  readonly client: InetSocket;
  readonly server: InetSocket;
}
