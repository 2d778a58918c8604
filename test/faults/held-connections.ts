// TCP connections between pods that are opened once and must live through everything: each says something both ways when asked.
import { closeNamespace, InetSocket, openNamespace, pollReadable } from '../../src/kernel/index.ts';
import { familyOf } from '../../src/net/index.ts';

export interface HeldPair {
  readonly name: string;
  readonly clientNamespace: string;
  readonly serverNamespace: string;
  readonly serverAddress: string;
  /** Where the client connects to, when that is not where the server listens: the address of a Service. */
  readonly by?: string;
}

/** Long enough for several retransmissions of a packet that was lost. */
const patienceMs = 15_000;

interface Held {
  readonly name: string;
  readonly client: InetSocket;
  readonly server: InetSocket;
}

export class HeldConnections implements Disposable {
  readonly #listeners: InetSocket[] = [];
  readonly #held: Held[] = [];
  #lost = 0;

  /** Opens one more. @throws Error when it does not come about */
  open({ name, clientNamespace, serverNamespace, serverAddress, by }: HeldPair, port: number): void {
    const [here, there] = [openNamespace(clientNamespace), openNamespace(serverNamespace)];
    try {
      const family = familyOf(serverAddress);
      const listener = InetSocket.open({ family, type: 'stream', namespace: there });
      this.#listeners.push(listener);
      listener.bind({ address: serverAddress, port });
      listener.listen();
      const client = InetSocket.open({ family, type: 'stream', namespace: here });
      client.connect({ address: by ?? serverAddress, port });
      pollReadable([listener], patienceMs);
      const server = listener.accept()?.socket;
      if (!server) throw new Error(`No connection from ${name}`);
      this.#held.push({ name, client, server });
    } finally {
      for (const namespace of [here, there]) closeNamespace(namespace);
    }
  }

  get count(): number {
    return this.#held.length;
  }

  /** Connections over which something was said in vain, so far. */
  get lost(): number {
    return this.#lost;
  }

  /** Says something over each, the server first, and returns the names of those over which it was not heard. */
  speak(): string[] {
    const mute = this.#held.filter(({ client, server }) => !says(server, client) || !says(client, server));
    this.#lost += mute.length;
    return mute.map(({ name }) => name);
  }

  [Symbol.dispose](): void {
    for (const { client, server } of this.#held) {
      for (const socket of [client, server]) {
        socket.resetOnClose();
        socket.close();
      }
    }
    for (const listener of this.#listeners) listener.close();
  }
}

/** Whether a byte sent by one is received by the other. */
function says(from: InetSocket, to: InetSocket): boolean {
  from.send(Buffer.from('.'));
  pollReadable([to], patienceMs);
  return to.receive()?.length === 1;
}
