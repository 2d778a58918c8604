// The CNI server in calico-node: takes the shim's requests from a unix socket that only root may open, hands them to the
// plugin that was called, and turns whatever comes of it into the answer that the specification wants.
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { UnavailableError } from '../datastore/index.ts';
import type { Logger } from '../process/index.ts';
import { DeletionWorker } from './deletion-worker.ts';
import { CniError, cniErrorCodes } from './errors.ts';
import { readObject } from './json-fields.ts';
import type { Plugin } from './plugin.ts';
import { readRequest, versionIn } from './request.ts';
import { type LogLevel, noteRequest, readLogSettings } from './request-log.ts';
import { cniResult } from './result.ts';
import { impliedVersion } from './versions.ts';
import { readShimRequest, type ShimRequest, type ShimResponse } from './wire.ts';

export interface CniServerOptions {
  readonly socketPath: string;
  /** Folder for DELs that cannot be done at once. */
  readonly deletionsPath: string;
  /** The plugin `calico`. */
  readonly network: Plugin;
  /** The plugin `calico-ipam`. */
  readonly ipam: Plugin;
  readonly log: Logger;
}

const longestRequest = 1024 * 1024;
/** The runtime asks again whatever it got no answer to. */
const stopDeadlineMs = 10_000;
const done: ShimResponse = { exitCode: 0, stdout: '' };

export class CniServer {
  readonly #options: CniServerOptions;
  readonly #server: Server;
  readonly #deletions: DeletionWorker;
  readonly #connections = new Set<Socket>();

  constructor(options: CniServerOptions) {
    const { deletionsPath: folder, log } = options;
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
    this.#deletions = new DeletionWorker({ folder, log, perform: (request) => this.#deleteLate(request) });
  }

  /**
   * Takes over the path from a predecessor that left its socket behind, and the DELs that came meanwhile. May be called again when it
   * failed. @throws the file system's errors, or those of listening
   */
  async listen(): Promise<void> {
    const { socketPath } = this.#options;
    await this.#deletions.start();
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

  /** Takes no more requests; those under way are answered first, unless they take longer than a stop may. */
  async close(): Promise<void> {
    const deadline = setTimeout(() => {
      for (const socket of this.#connections) socket.destroy();
    }, stopDeadlineMs);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    clearTimeout(deadline);
    await this.#deletions.stop();
  }

  #serve(socket: Socket): void {
    let line = '';
    socket.setEncoding('utf8');
    // A runtime that killed its plugin wants no answer.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
    this.#connections.add(socket);
    socket.on('end', () => {
      // Whoever goes without having asked is not waited for.
      if (!line.includes('\n')) socket.destroy();
    });
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
    const begun = performance.now();
    let request: ShimRequest = { program: '', environment: {}, stdin: '' };
    const note = (level: LogLevel, more: object = {}) =>
      this.#note(request, level, { ms: Math.round((performance.now() - begun) * 10) / 10, ...more });
    try {
      const read = readShimRequest(line);
      if (!read) throw new Error('What came over the socket is not what the CNI plugin sends');
      request = read;
      const response = await this.#perform(request);
      note('info');
      return response;
    } catch (error) {
      const { CNI_COMMAND: command, CNI_ARGS: args } = request.environment;
      if (command === 'DEL' && error instanceof UnavailableError && this.#postpone(request, error)) {
        note('warning', { waits: error.message });
        return done;
      }
      this.#options.log.warn({ error, program: request.program, command, args }, 'A CNI request failed');
      const result = errorResult(request.stdin, error);
      note('error', result);
      return { exitCode: 1, stdout: `${JSON.stringify(result)}\n` };
    }
  }

  /** Where the network configuration wants it, if it can be read that far. A log that cannot be written fails nothing. */
  #note({ program, environment, stdin }: ShimRequest, level: LogLevel, more: object): void {
    if (!stdin.includes('"log_file_path"')) return;
    const {
      CNI_COMMAND: command,
      CNI_CONTAINERID: container,
      CNI_IFNAME: link,
      CNI_ARGS: args,
    } = environment;
    try {
      const settings = readLogSettings(readObject(JSON.parse(stdin), 'The network configuration'));
      if (settings)
        noteRequest(settings, level, { program, command, container, interface: link, args, ...more });
    } catch (error) {
      this.#options.log.warn({ error, command, args }, 'A CNI request cannot be noted in its log file');
    }
  }

  async #perform(shimRequest: ShimRequest): Promise<ShimResponse> {
    const request = readRequest(shimRequest);
    const plugin = this.#pluginOf(shimRequest);
    switch (request.command) {
      case 'DEL':
        await plugin.delete(request);
        return done;
      case 'CHECK':
        await plugin.check(request);
        return done;
      case 'GC':
        if (request.valid) await plugin.collectGarbage({ ...request, valid: request.valid });
        return done;
      case 'STATUS':
        await plugin.status(request);
        return done;
      case 'ADD': {
        const { cniVersion, previousResult } = request.configuration;
        const result = cniResult(cniVersion, await plugin.add(request), previousResult);
        return { exitCode: 0, stdout: `${JSON.stringify(result)}\n` };
      }
    }
  }

  /** The pod's link is gone by now; what is left to release is released when the datastore is back. False when it cannot be kept. */
  #postpone(request: ShimRequest, error: Error): boolean {
    const { log } = this.#options;
    const args = request.environment.CNI_ARGS;
    try {
      this.#deletions.postpone(request);
      log.warn({ error, args }, 'A DEL has to wait for the datastore; it is kept in a file');
      return true;
    } catch (failure) {
      log.error({ error: failure, args }, 'A DEL has to wait for the datastore, and cannot be kept');
      return false;
    }
  }

  async #deleteLate(shimRequest: ShimRequest): Promise<boolean> {
    const environment = { ...shimRequest.environment, CNI_COMMAND: 'DEL' };
    // What is wrong with the request stays wrong; anything else may pass, such as another IPAM plugin that is being replaced.
    const request = readRequest({ ...shimRequest, environment });
    try {
      if (request.command === 'DEL') await this.#pluginOf(shimRequest).delete(request);
      return true;
    } catch (error) {
      this.#options.log.warn(
        { error, args: shimRequest.environment.CNI_ARGS },
        'A kept DEL has to wait longer',
      );
      return false;
    }
  }

  #pluginOf({ program }: ShimRequest): Plugin {
    return program === 'calico-ipam' ? this.#options.ipam : this.#options.network;
  }
}

function errorResult(stdin: string, error: unknown): object {
  const msg = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined;
  return {
    cniVersion: versionIn(stdin, impliedVersion),
    code: codeOf(error),
    msg,
    ...(cause && { details: cause }),
  };
}

function codeOf(error: unknown): number {
  if (error instanceof CniError) return error.code;
  return error instanceof UnavailableError ? cniErrorCodes.tryAgainLater : cniErrorCodes.failed;
}
