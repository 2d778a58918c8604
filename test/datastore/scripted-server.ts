// An HTTP server that answers each request as the next line of a script says, so that an API server's bad days can be
// played back. It says nothing that the script does not.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly body: string;
}

export type Answer = (response: ServerResponse, request: SeenRequest) => void;

export class ScriptedServer implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  readonly #script: Answer[];
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  private constructor(script: Answer[]) {
    this.#script = script;
  }

  /** After the script's last line every further request hangs without an answer. */
  static async start(...script: Answer[]): Promise<ScriptedServer> {
    const server = new ScriptedServer(script);
    await new Promise<void>((resolve) => {
      server.#server.listen(0, '127.0.0.1', resolve);
    });
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
    const pieces: Uint8Array[] = await Array.fromAsync(request);
    const seen = {
      method: request.method ?? '',
      path: pathname,
      query: searchParams,
      authorization: request.headers.authorization,
      body: Buffer.concat(pieces).toString(),
    };
    this.requests.push(seen);
    this.#script.shift()?.(response, seen);
  }
}

/** The object as an API server's list or event holds it. */
export function poolAt(name: string, revision: number): object {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: {
      name,
      uid: `uid-${name}`,
      resourceVersion: String(revision),
      managedFields: [{ manager: 'm' }],
    },
    spec: { cidr: '10.0.0.0/16' },
  };
}

export function list(revision: number, items: object[], next?: string): Answer {
  return (response) =>
    response.end(
      JSON.stringify({ metadata: { resourceVersion: String(revision), continue: next ?? '' }, items }),
    );
}

export function status(code: number, headers: Record<string, string> = {}, reason = ''): Answer {
  return (response) => {
    response.writeHead(code, headers);
    response.end(JSON.stringify({ kind: 'Status', code, reason, message: `scripted ${code}` }));
  };
}

/** A watch that says these events, then the raw text, and then ends, breaks off or stays open. */
export function watch(
  events: [type: string, object: object][],
  after: 'end' | 'break' | 'stay',
  raw = '',
): Answer {
  return (response) => {
    response.flushHeaders();
    const text = events.map(([type, object]) => `${JSON.stringify({ type, object })}\n`).join('') + raw;
    response.write(text || '\n', () => {
      if (after === 'end') response.end();
      if (after === 'break') response.destroy();
    });
  };
}
