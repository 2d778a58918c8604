// Puts the server together: store, kinds, namespace controller, HTTP on one or several listening sockets.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { requestHandler } from './http/handler.ts';
import { Lists } from './http/list.ts';
import { Watches } from './http/watch.ts';
import { type Admission, Registry } from './kinds/registry.ts';
import { runNamespaceController } from './namespaces.ts';
import { Store } from './store/store.ts';

/** Where to listen: an address (port 0 chooses one), or a socket that is bound and listening already, perhaps in another network namespace. */
type ListenAt = { readonly host: string; readonly port: number } | { readonly fd: number };

/**
 * How long a connection may carry nothing, as kube-apiserver has it. Clients give it up earlier, by far: a server that closes
 * one at the moment in which a write goes out leaves its writer not knowing whether it was done.
 */
const idleMs = 90_000;

interface ApiServerOptions {
  /** Path of the SQLite file, or ":memory:". */
  readonly database: string;
  /** When given, every request must carry it as its bearer token. */
  readonly token?: string;
  /** A free port on 127.0.0.1 when absent. */
  readonly listen?: ListenAt;
  /** What the cluster's own admission makes of an object of a custom kind before it is judged; as it is when absent. */
  readonly admit?: Admission;
}

export interface ApiServer {
  /** Base URL of the first listening socket, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Serves a further listening socket as well. */
  listen(at: ListenAt): Promise<{ port: number }>;
  /** Ends all watches and connections and closes the database; nothing is left that keeps a process alive. */
  close(): Promise<void>;
}

/** @throws what SQLite or the operating system says, when the database cannot be opened or the address not be had */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const store = new Store(options.database);
  const registry = new Registry(store, options.admit);
  const watches = new Watches(store);
  const stopController = runNamespaceController(store, registry);
  const handler = requestHandler(registry, { store, watches, lists: new Lists(store) }, options.token);
  const servers: Server[] = [];

  async function listen(at: ListenAt): Promise<{ host: string; port: number }> {
    // Watches are long and idle ones legitimate: a request has no time limit of its own.
    const server = createServer({ requestTimeout: 0, keepAliveTimeout: idleMs, noDelay: true }, handler);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(at, resolve);
    });
    servers.push(server);
    const { address, family, port } = server.address() as AddressInfo;
    return { host: family === 'IPv6' ? `[${address}]` : address, port };
  }

  async function close(): Promise<void> {
    stopController();
    watches.close();
    await Promise.all(
      servers.map((server) => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeAllConnections();
        return closed;
      }),
    );
    store.close();
  }

  try {
    const { host, port } = await listen(options.listen ?? { host: '127.0.0.1', port: 0 });
    return { url: `http://${host}:${port}`, port, listen, close };
  } catch (error) {
    await close();
    throw error;
  }
}
