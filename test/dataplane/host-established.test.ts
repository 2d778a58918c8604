// What becomes of connections that exist when a policy about host endpoints changes: to the node, from it, through it and
// within it. Those that it forbids are cut at once, in both directions and whoever speaks first; those that it permits go on.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { closeNamespace, InetSocket, openNamespace, pollReadable } from '../../src/kernel/index.ts';
import type { Cluster } from '../../src/policy/index.ts';
import type { GlobalNetworkPolicy } from '../../src/resources/index.ts';
import type { End } from './flows.ts';
import {
  allow,
  deny,
  type Family,
  families,
  globalPolicy,
  HostLab,
  hostEndpoint,
  type Place,
} from './host-lab.ts';

/** How long a datagram that must arrive may take, and how long one that must not is waited for. */
const arrivalMs = 10_000;
const absenceMs = 60;

/** UDP between two ends, opened by the first. */
class Connection {
  readonly #client: InetSocket;
  readonly #server: InetSocket;
  readonly #ends: { readonly client: End; readonly server: End };
  readonly #ports: { readonly client: number; readonly server: number };
  #sent = 0;

  constructor(client: End, server: End) {
    this.#ends = { client, server };
    this.#client = openAt(client);
    this.#server = openAt(server);
    this.#ports = { client: this.#client.localAddress().port, server: this.#server.localAddress().port };
  }

  /** Whether a datagram from the one who opened it arrives; `expected` says how long to wait for it. */
  forth(expected: boolean): boolean {
    const to = { address: this.#ends.server.address, port: this.#ports.server };
    return this.#passes(this.#client, this.#server, to, expected);
  }

  back(expected: boolean): boolean {
    const to = { address: this.#ends.client.address, port: this.#ports.client };
    return this.#passes(this.#server, this.#client, to, expected);
  }

  close(): void {
    this.#client.close();
    this.#server.close();
  }

  #passes(
    from: InetSocket,
    to: InetSocket,
    address: { address: string; port: number },
    expected: boolean,
  ): boolean {
    const text = String(++this.#sent);
    try {
      from.sendTo(Buffer.from(text), address);
    } catch (error) {
      // The sender's own node refuses.
      if ((error as { code?: string }).code !== 'EPERM') throw error;
      return false;
    }
    const deadline = performance.now() + (expected ? arrivalMs : absenceMs);
    for (let left = deadline - performance.now(); left > 0; left = deadline - performance.now()) {
      pollReadable([to], Math.ceil(left));
      for (let got = to.receiveFrom(); got; got = to.receiveFrom())
        if (got.data.toString() === text) return true;
    }
    return false;
  }
}

function openAt({ namespacePath, address }: End): InetSocket {
  const namespace = openNamespace(namespacePath);
  const socket = InetSocket.open({ namespace, family: address.includes(':') ? 6 : 4, type: 'datagram' });
  closeNamespace(namespace);
  socket.bind({ address, port: 0 });
  return socket;
}

const all = hostEndpoint('all', { interfaceName: '*' });
const types: ('Ingress' | 'Egress')[] = ['Ingress', 'Egress'];
const policies = (...specs: Partial<GlobalNetworkPolicy['spec']>[]): Partial<Cluster> => ({
  hostEndpoints: [all],
  globalPolicies: specs.map((spec, index) =>
    globalPolicy(`p${index}`, { applyOnForward: true, types, ...spec }),
  ),
});
const free = policies({ ingress: [allow()], egress: [allow()] });

/** Who opens, to whom, and which direction of the endpoint's judges that: what is forwarded meets both. */
const ways: readonly (readonly [string, Place, Place, 'ingress' | 'egress' | 'both'])[] = [
  ['to the node', 'outside', 'node-1', 'ingress'],
  ['from the node', 'node-1', 'outside', 'egress'],
  ['through the node', 'behind', 'outside', 'both'],
  ['to its pod', 'outside', 'pod-1', 'both'],
  ['from its pod', 'pod-1', 'outside', 'both'],
  ['within the node', 'node-1', 'node-1', 'both'],
];

describe('an established connection', () => {
  let lab: HostLab;
  let connection: Connection | undefined;
  before(async () => {
    lab = await HostLab.make('hee');
  });
  after(() => lab?.remove());
  afterEach(() => connection?.close());

  const open = async (from: Place, to: Place, family: Family): Promise<Connection> => {
    await lab.become(free);
    const opened = new Connection(lab.end(from, family), lab.end(to, family));
    connection = opened;
    assert.deepEqual([opened.forth(true), opened.back(true)], [true, true]);
    return opened;
  };

  for (const family of families) {
    for (const [way, from, to, side] of ways) {
      test(`${way} is cut both ways by a denial, and goes on when that is lifted (IPv${family})`, async () => {
        const { forth, back } = bound(await open(from, to, family));
        await lab.become(policies({ ingress: [deny()], egress: [deny()] }));
        assert.deepEqual([back(false), forth(false), back(false)], [false, false, false]);
        await lab.become(free);
        assert.deepEqual([back(true), forth(true)], [true, true]);
      });

      test(`${way} goes on when only its answering side speaks, and what that may open itself is closed (IPv${family})`, async () => {
        const { forth, back } = bound(await open(from, to, family));
        const rules = {
          ingress: side === 'egress' ? [] : [allow()],
          egress: side === 'ingress' ? [] : [allow()],
        };
        await lab.become(policies(rules));
        assert.deepEqual([back(true), back(true), forth(true)], [true, true, true]);
      });

      if (side !== 'both') {
        test(`${way} is not brought back by its answering side, which may open connections (IPv${family})`, async () => {
          const { forth, back } = bound(await open(from, to, family));
          await lab.become(policies(side === 'ingress' ? { egress: [allow()] } : { ingress: [allow()] }));
          assert.deepEqual([back(false), forth(false)], [false, false]);
        });
      }
    }

    test(`to the node is cut both ways by a denial before translation (IPv${family})`, async () => {
      const { forth, back } = bound(await open('outside', 'node-1', family));
      const early = { preDNAT: true, types: ['Ingress' as const], ingress: [deny({ protocol: 'UDP' })] };
      await lab.become(policies({ ingress: [allow()], egress: [allow()] }, early));
      assert.deepEqual([back(false), forth(false)], [false, false]);
    });

    test(`is judged when an endpoint comes, and let go when it vanishes (IPv${family})`, async () => {
      const { forth, back } = bound(await open('behind', 'node-1', family));
      await lab.become({});
      assert.deepEqual([back(true), forth(true)], [true, true]);
      await lab.become({ hostEndpoints: [hostEndpoint('one', { interfaceName: 'eth1' })] });
      assert.deepEqual([back(false), forth(false)], [false, false]);
      await lab.become({});
      assert.deepEqual([back(true), forth(true)], [true, true]);
    });
  }
});

function bound(connection: Connection) {
  return {
    forth: (expected: boolean) => connection.forth(expected),
    back: (expected: boolean) => connection.back(expected),
  };
}
