// The sockets of asynchronous requests: each carries one at a time, and there are few, because each occupies one of the four
// threads that Node has for work of this kind, files among it.
import type { NetlinkSocket } from '../netlink/index.ts';

const maxSockets = 2;

export class SocketPool {
  readonly #open: () => NetlinkSocket;
  readonly #idle: NetlinkSocket[] = [];
  readonly #waiting: ((socket: NetlinkSocket) => void)[] = [];
  #count = 0;
  #closed = false;

  constructor(open: () => NetlinkSocket) {
    this.#open = open;
  }

  /** Waits for its turn, first come, first served. */
  async use<T>(action: (socket: NetlinkSocket) => Promise<T>): Promise<T> {
    const socket = await this.#take();
    try {
      return await action(socket);
    } finally {
      this.#giveBack(socket);
    }
  }

  /** Sockets in use close when they are given back. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#idle.splice(0)) socket.close();
  }

  async #take(): Promise<NetlinkSocket> {
    if (this.#closed) throw new Error('Cannot make an asynchronous request: its namespace was closed');
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#count >= maxSockets) return new Promise((resolve) => this.#waiting.push(resolve));
    const socket = this.#open();
    this.#count++;
    return socket;
  }

  #giveBack(socket: NetlinkSocket): void {
    const next = this.#waiting.shift();
    if (next) next(socket);
    else if (this.#closed) socket.close();
    else this.#idle.push(socket);
  }
}
