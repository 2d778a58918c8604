// A port with a few pages for people and probes, which may be opened, moved and closed while the process runs.
import { createServer, type Server } from 'node:http';

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Undefined for a path that has no page. */
export type Pages = (path: string) => Promise<Page> | Page | undefined;

export interface Place {
  /** Every address of the host when empty. */
  readonly host: string;
  readonly port: number;
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

  /** Serves there, or nowhere; does nothing when it does so already. @throws Error when the port is taken; it is served nowhere then */
  async serveAt(place: Place | undefined): Promise<void> {
    if (place?.host === this.#place?.host && place?.port === this.#place?.port) return;
    await this.close();
    if (!place) return;
    const server = createServer((request, response) => {
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
      server.listen(place.port, place.host || undefined, resolve);
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
