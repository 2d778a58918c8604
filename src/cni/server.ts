// The CNI server in calico-node: takes the shim's requests from a unix socket that only root may open, hands them to the
// network, and turns whatever comes of it into the answer that the specification wants.
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { CniError, cniErrorCodes } from './errors.ts';
import { type CniRequest, readRequest } from './request.ts';
import { type AttachedPod, cniResult } from './result.ts';
import { impliedVersion } from './versions.ts';
import type { ShimRequest, ShimResponse } from './wire.ts';

/** What the server serves. Both throw CniError, or any other error for what nobody foresaw. */
export interface PodNetwork {
  add(request: CniRequest): Promise<AttachedPod>;
  /** Succeeds when there is nothing to take down. */
  delete(request: CniRequest): Promise<void>;
}

export interface CniServerOptions {
  readonly socketPath: string;
  readonly network: PodNetwork;
  /** Told of every request that failed. */
  readonly onFailure?: (request: ShimRequest, error: unknown) => void;
}

const longestRequest = 1024 * 1024;

export class CniServer {
  readonly #options: CniServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: CniServerOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
  }

  /** Takes over the path from a predecessor that left its socket behind. */
  async listen(): Promise<void> {
    const { socketPath } = this.#options;
    mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
    rmSync(socketPath, { force: true });
    // The socket must never be open to others, not even between being made and being restricted.
    const umask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(socketPath, resolve);
      });
    } finally {
      process.umask(umask);
    }
    chmodSync(socketPath, 0o600);
  }

  /** Takes no more requests; those under way are answered first. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    let line = '';
    socket.setEncoding('utf8');
    socket.on('close', () => this.#sockets.delete(socket));
    // A runtime that killed its plugin wants no answer.
    socket.on('error', () => socket.destroy());
    const onData = (piece: string) => {
      line += piece;
      if (line.length > longestRequest) socket.destroy();
      if (!line.includes('\n')) return;
      socket.off('data', onData);
      void this.#answer(line).then((response) => socket.end(`${JSON.stringify(response)}\n`));
    };
    socket.on('data', onData);
  }

  async #answer(line: string): Promise<ShimResponse> {
    let request: ShimRequest = { environment: {}, stdin: '' };
    try {
      request = JSON.parse(line) as ShimRequest;
      const asked = readRequest(request);
      if (asked.command === 'DEL') {
        await this.#options.network.delete(asked);
        return { exitCode: 0, stdout: '' };
      }
      const attached = await this.#options.network.add(asked);
      return {
        exitCode: 0,
        stdout: `${JSON.stringify(cniResult(asked.configuration.cniVersion, attached))}\n`,
      };
    } catch (error) {
      this.#options.onFailure?.(request, error);
      return { exitCode: 1, stdout: `${JSON.stringify(errorResult(request.stdin, error))}\n` };
    }
  }
}

function errorResult(stdin: string, error: unknown): object {
  const code = error instanceof CniError ? error.code : cniErrorCodes.failed;
  const msg = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined;
  return { cniVersion: versionIn(stdin), code, msg, ...(cause && { details: cause }) };
}

/** The version that the runtime speaks, as far as it can be told from a configuration that may be broken. */
function versionIn(stdin: string): string {
  try {
    const { cniVersion } = JSON.parse(stdin) as { cniVersion?: unknown };
    return typeof cniVersion === 'string' ? cniVersion : impliedVersion;
  } catch {
    // Not JSON: the error that is being reported says so.
    return impliedVersion;
  }
}
