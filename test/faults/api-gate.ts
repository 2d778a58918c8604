// Stands between the agents of a lab and their API server, and lets through what it is told to, as slowly or as wrongly as it is told to.
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { closeNamespace, listenInNamespace, openNamespace } from '../../src/kernel/index.ts';

/** What happens to requests, and to the watches that are open when it begins. */
export type ApiFault =
  /** Connections are refused, and those that there are break. */
  | { readonly kind: 'away' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'status'; readonly code: number; readonly retryAfter?: number }
  /** Answers end in the middle of their JSON. */
  | { readonly kind: 'half' }
  /** Nothing more is heard on connections, which stay; requests are not answered. */
  | { readonly kind: 'silent' }
  /** Another server answers. */
  | { readonly kind: 'other'; readonly server: string };

export class ApiGate {
  readonly #server: Server;
  readonly #target: string;
  #fault: ApiFault | undefined;
  #met = 0;

  /** @param namespacePath of the namespace in which to listen @param target the server's URL */
  static async open(
    namespacePath: string,
    at: { readonly address: string; readonly port: number },
    target: string,
  ): Promise<ApiGate> {
    const namespace = openNamespace(namespacePath);
    const fd = listenInNamespace(namespace, at);
    closeNamespace(namespace);
    const gate = new ApiGate(target);
    await new Promise<void>((resolve) => gate.#server.listen({ fd }, resolve));
    return gate;
  }

  private constructor(target: string) {
    this.#target = target;
    // As the server behind it: what it closes, it closes for a fault.
    this.#server = createServer({ requestTimeout: 0, keepAliveTimeout: 90_000 }, (asked, answer) =>
      this.#take(asked, answer),
    );
  }

  /** How many requests have met the present fault; while it is silent, what was to be heard on a watch, too. */
  get met(): number {
    return this.#met;
  }

  /** Begins a fault, or ends the one that there is. */
  set fault(fault: ApiFault | undefined) {
    const wasSilent = this.#fault?.kind === 'silent';
    this.#fault = fault;
    this.#met = 0;
    // Who was held up by silence must find out by himself that nothing will come.
    if (fault?.kind === 'silent' || (fault === undefined && wasSilent)) return;
    // Over connections that are kept everything would go on as it was.
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(asked: IncomingMessage, answer: ServerResponse): void {
    const fault = this.#fault;
    this.#met++;
    switch (fault?.kind) {
      case 'away':
        asked.socket.destroy();
        return;
      case 'silent':
        return;
      case 'status':
        answer.writeHead(fault.code, {
          'content-type': 'application/json',
          ...(fault.retryAfter !== undefined && { 'retry-after': String(fault.retryAfter) }),
        });
        answer.end(
          JSON.stringify({ kind: 'Status', code: fault.code, message: `the gate says ${fault.code}` }),
        );
        return;
      case 'slow':
        setTimeout(() => this.#forward(asked, answer, this.#target), fault.ms);
        return;
      case 'other':
        this.#forward(asked, answer, fault.server);
        return;
      default:
        this.#forward(asked, answer, this.#target);
    }
  }

  #forward(asked: IncomingMessage, answer: ServerResponse, target: string): void {
    const { method, headers } = asked;
    const onward = request(new URL(asked.url ?? '/', target), { method: method ?? 'GET', headers });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    onward.on('response', (response) => {
      const { 'content-length': _, ...rest } = response.headers;
      answer.writeHead(response.statusCode ?? 502, rest);
      answer.flushHeaders();
      if (this.#fault?.kind === 'half') {
        this.#half(response, answer);
        return;
      }
      response.on('data', (piece: Buffer) => {
        // What came in the time of silence is lost for ever.
        if (this.#fault?.kind === 'silent') this.#met++;
        else answer.write(piece);
      });
      response.on('end', () => answer.end());
      response.on('error', () => answer.destroy());
    });
    asked.pipe(onward);
  }

  #half(response: IncomingMessage, answer: ServerResponse): void {
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => {
      // What was read before the answer was cut off is still told after it.
      if (answer.writableEnded) return;
      pieces.push(piece);
      const whole = Buffer.concat(pieces);
      if (whole.length < 2) return;
      answer.end(whole.subarray(0, whole.length >> 1));
      response.destroy();
    });
    response.on('error', () => answer.destroy());
  }
}
