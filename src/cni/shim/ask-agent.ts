// A line to the agent and all that it answers, over Bun's own sockets: those of node:net cost as much again as all the rest of the
// shim, before the first byte is sent.

interface BunSocket {
  /** Returns how many bytes were taken; those that were not are to be offered again at the next `drain`. */
  write(bytes: Uint8Array): number;
}

/** What is used here of Bun, by which the shim is compiled. Source: https://bun.com/docs/api/tcp */
declare const Bun: {
  connect(options: {
    readonly unix: string;
    readonly socket: {
      open(socket: BunSocket): void;
      drain(socket: BunSocket): void;
      data(socket: BunSocket, piece: Uint8Array): void;
      /** Comes once for a connection that was made, after `error` where there was one. */
      close(socket: BunSocket): void;
      error(socket: BunSocket, error: Error): void;
    };
  }): Promise<BunSocket>;
};

/**
 * What was answered until the connection ended: nothing where it ended without an answer, or broke off.
 * @throws Error when there is no connection to be had
 */
export async function askAgent(path: string, line: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let unsent: Uint8Array = Buffer.from(line);
  const pieces: Uint8Array[] = [];
  const send = (socket: BunSocket) => {
    const taken = socket.write(unsent);
    if (taken > 0) unsent = unsent.subarray(taken);
  };
  await Bun.connect({
    unix: path,
    socket: {
      open: send,
      drain: (socket) => {
        if (unsent.length > 0) send(socket);
      },
      data: (_socket, piece) => {
        // The buffer is Bun's, which uses it again.
        pieces.push(Buffer.from(piece));
      },
      close: () => resolve(),
      error: () => resolve(),
    },
  });
  await promise;
  return Buffer.concat(pieces).toString('utf8');
}
