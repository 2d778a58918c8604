// HTTP to one API server: credentials, deadlines, typed errors, and only such retries as cannot do harm twice.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import { ForbiddenError, UnavailableError } from '../errors.ts';
import { Backoff } from './backoff.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { type StatusDocument, statusError, TurnedAwayError } from './status-error.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query, beginning with "/". */
  readonly path: string;
  readonly body?: object;
  readonly contentType?: string;
  /** Begins the sentence of an error: 'Cannot update Pod "a/b"'. */
  readonly attempt: string;
}

export interface TransportOptions {
  /** How long one answer may take. */
  readonly requestTimeoutMs: number;
  /** How long requests are repeated, where that is safe, before the caller hears of it. */
  readonly retryForMs: number;
}

/** Failures of a connection that was never made: the request cannot have been processed. */
const neverConnected = new Set([
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export class Transport {
  readonly #pool: Pool;
  readonly #access: ClusterAccess;
  readonly #options: TransportOptions;
  readonly #prefix: string;
  readonly #closing = new AbortController();

  constructor(access: ClusterAccess, options: TransportOptions) {
    const { origin, pathname } = new URL(access.server);
    this.#prefix = pathname.replace(/\/$/, '');
    this.#access = access;
    this.#options = options;
    this.#pool = new Pool(origin, {
      connect: { ...access.tls, timeout: Math.min(10_000, options.requestTimeoutMs) },
      // An idle connection is given up before any server does, whatever that one says it would bear: a write into one that
      // is just being closed there has no answer, and may not be repeated.
      keepAliveTimeout: 30_000,
      keepAliveMaxTimeout: 30_000,
      // In HTTP/2 all watches would share one connection and its fate, and undici 8.12 lets the error of a session that is
      // closed amidst them end the process.
      allowH2: false,
    });
  }

  /** The parsed answer. @throws the errors of errors.ts, ExpiredError */
  async json(request: ApiRequest): Promise<unknown> {
    const backoff = new Backoff({ firstMs: 50, maxMs: 2_000 });
    const deadline = performance.now() + this.#options.retryForMs;
    for (;;) {
      try {
        const signal = AbortSignal.any([
          this.#closing.signal,
          AbortSignal.timeout(this.#options.requestTimeoutMs),
        ]);
        const response = await this.#send(request, signal);
        return await response.body.json();
      } catch (error) {
        const fault = this.#named(error, request);
        const waitMs = Math.max(backoff.next(), fault instanceof TurnedAwayError ? fault.retryAfterMs : 0);
        const isLate = performance.now() + waitMs > deadline;
        if (this.#closing.signal.aborted || !mayRepeat(fault, request) || isLate) throw fault;
        await sleep(waitMs, undefined, { signal: this.#closing.signal }).catch(() => {
          throw fault;
        });
      }
    }
  }

  /** The bytes of an answer that goes on until the server, `signal` or `close` ends it. Never repeated. */
  async stream(request: ApiRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    try {
      const response = await this.#send(request, AbortSignal.any([this.#closing.signal, signal]));
      return response.body;
    } catch (error) {
      throw this.#named(error, request);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#pool.destroy();
  }

  async #send(
    request: ApiRequest,
    signal: AbortSignal,
    isSecondTry = false,
  ): Promise<Dispatcher.ResponseData> {
    const authorization = await this.#access.credential.header();
    const response = await this.#pool.request({
      method: request.method,
      path: this.#prefix + request.path,
      headers: {
        accept: 'application/json',
        ...(authorization !== undefined && { authorization }),
        ...(request.body && { 'content-type': request.contentType ?? 'application/json' }),
      },
      body: request.body ? JSON.stringify(request.body) : null,
      signal,
      headersTimeout: this.#options.requestTimeoutMs,
      // Watches are silent for as long as nothing happens; whoever reads the body sets its deadline.
      bodyTimeout: 0,
    });
    if (response.statusCode < 300) return response;
    const status = parseStatus(await response.body.text());
    if (response.statusCode === 401) {
      this.#access.credential.refused();
      // A refused request was not processed, and the token may just have been replaced.
      if (!isSecondTry) return this.#send(request, signal, true);
    }
    const retryAfter = response.headers['retry-after'];
    throw statusError(
      request.attempt,
      response.statusCode,
      status,
      typeof retryAfter === 'string' ? retryAfter : undefined,
    );
  }

  /** Failures below HTTP become UnavailableError; the others already have their type. */
  #named(error: unknown, { attempt }: ApiRequest): Error {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
      return new UnavailableError(`${attempt}: ${this.#access.server} does not answer (${error.code})`, {
        cause: error,
      });
    }
    if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')) {
      const why = this.#closing.signal.aborted ? 'the connection was closed here' : 'no answer in time';
      return new UnavailableError(`${attempt}: ${why}`, { cause: error });
    }
    if (error instanceof SyntaxError) {
      return new UnavailableError(`${attempt}: the answer was cut off or is not JSON`, { cause: error });
    }
    return error instanceof Error ? error : new UnavailableError(`${attempt}: ${String(error)}`);
  }
}

/** Reads may always be repeated; writes only when they surely were not processed. */
function mayRepeat(fault: Error, { method }: ApiRequest): boolean {
  if (!(fault instanceof UnavailableError) || fault instanceof ForbiddenError) return false;
  if (method === 'GET' || fault instanceof TurnedAwayError) return true;
  const { cause } = fault;
  return cause instanceof Error && 'code' in cause && neverConnected.has(String(cause.code));
}

/** A proxy in between may answer in HTML; its text then stands for the message. */
function parseStatus(text: string): StatusDocument {
  try {
    const status = JSON.parse(text) as StatusDocument | null;
    return typeof status === 'object' && status !== null ? status : {};
  } catch {
    // Not an API server's answer: nothing is owed but to pass on what it said.
    return text.trim() === '' ? {} : { message: text.trim().slice(0, 200) };
  }
}
