// A port with a few pages for people and probes, which may be opened, moved and closed while the process runs.
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Undefined for a path that has no page. */
export type Pages = (path: string) => Promise<Page> | Page | undefined;

export interface Place {
  /** Every address of the host when empty; of a name with addresses of both families, the IPv4 one, as a server in Go takes it. */
  readonly host: string;
  readonly port: number;
  /** Plain HTTP when absent. */
  readonly tls?: TlsPlace;
}

/** Files in PEM, read when serving begins. Whom a client has to be, in the words of Go's crypto/tls. */
export interface TlsPlace {
  readonly certFile: string;
  readonly keyFile: string;
  /** Whoever signed clients' certificates; the system's authorities when empty. */
  readonly caFile: string;
  readonly clientAuth:
    | 'NoClientCert'
    | 'VerifyClientCertIfGiven'
    | 'RequireAnyClientCert'
    | 'RequireAndVerifyClientCert';
}

export class ServedPort {
  readonly #pages: Pages;
  #server: Server | undefined;
  #place: Place | undefined;

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  /** Where it is served now, with the port that the kernel chose where 0 was asked for. */
  get address(): Place | undefined {
    const bound = this.#server?.address();
    return bound && typeof bound === 'object' ? { host: bound.address, port: bound.port } : undefined;
  }

  /** Serves there, or nowhere; does nothing when it does so already. @throws Error when the port is taken, the host has no address or a file cannot be used; it is served nowhere then */
  async serveAt(place: Place | undefined): Promise<void> {
    if (JSON.stringify(place) === JSON.stringify(this.#place)) return;
    await this.close();
    if (!place) return;
    // In most nodes' /etc/hosts "localhost" is ::1 as well, which Node would choose, and the kubelet's probes ask 127.0.0.1.
    const host = place.host && (await lookup(place.host, { order: 'ipv4first' })).address;
    const server = serverFor(place, (request, response) => {
      const path = (request.url ?? '').replace(/\?.*$/, '');
      Promise.resolve()
        .then(() => this.#pages(path))
        .then(
          (page) =>
            page
              ? response.writeHead(page.status, { 'content-type': page.type }).end(page.text)
              : response.writeHead(404).end(),
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(place.port, host || undefined, resolve);
    });
    this.#server = server;
    this.#place = place;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#place = undefined;
    if (!server) return;
    // Whoever keeps a connection open would keep the port.
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function serverFor({ tls }: Place, answer: RequestListener): Server {
  if (!tls) return createServer(answer);
  const { certFile, keyFile, caFile, clientAuth } = tls;
  const server = createTlsServer(
    {
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
      ...(caFile && { ca: readFileSync(caFile) }),
      minVersion: 'TLSv1.2',
      requestCert: clientAuth !== 'NoClientCert',
      rejectUnauthorized: clientAuth === 'RequireAndVerifyClientCert',
    },
    answer,
  );
  // What Node cannot say by itself.
  server.on('secureConnection', (socket) => {
    if (!isWelcome(socket, clientAuth)) socket.destroy();
  });
  return server;
}

function isWelcome(socket: TLSSocket, clientAuth: TlsPlace['clientAuth']): boolean {
  const isGiven = socket.getPeerX509Certificate() !== undefined;
  if (clientAuth === 'RequireAnyClientCert') return isGiven;
  return clientAuth !== 'VerifyClientCertIfGiven' || !isGiven || socket.authorized;
}
