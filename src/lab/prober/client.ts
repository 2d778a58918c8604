// The lab's end of the prober: starts the process and asks it, one promise per request.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { runVariable } from '../run/processes.ts';
import type { ProberRequests, RequestMessage, RequestName, ResponseMessage } from './messages.ts';

export class Prober {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 1;

  /** Starts the process, marked as part of the run. It ends with the channel to this one, however that comes about. */
  constructor(runId: string) {
    this.#child = fork(join(import.meta.dirname, 'main.ts'), {
      // Its own process group: a terminal's Ctrl-C is for the lab, which then ends the prober in its turn.
      detached: true,
      env: { ...process.env, [runVariable]: runId },
    });
    this.#child.on('message', (message: ResponseMessage) => {
      const waiting = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if ('error' in message) waiting?.reject(new Error(message.error));
      else waiting?.resolve(message.answer);
    });
    this.#child.on('exit', (code, signal) => this.#fail(`The prober ended with ${signal ?? code}`));
    this.#child.on('error', (error) => this.#fail(`Cannot run the prober: ${error.message}`));
  }

  /** @throws Error with the prober's own sentence, or when it is gone. */
  ask<N extends RequestName>(name: N, ask: ProberRequests[N]['ask']): Promise<ProberRequests[N]['answer']> {
    const waiting = Promise.withResolvers<unknown>();
    if (!this.#child.connected)
      return Promise.reject(new Error(`Cannot ask the prober to ${name}: it is gone`));
    const id = this.#nextId++;
    this.#pending.set(id, waiting);
    this.#child.send({ id, name, ask } satisfies RequestMessage<N>);
    return waiting.promise as Promise<ProberRequests[N]['answer']>;
  }

  /** Ends the process and resolves when it is gone; requests that were under way are rejected. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await gone;
  }

  #fail(reason: string): void {
    for (const waiting of this.#pending.values()) waiting.reject(new Error(reason));
    this.#pending.clear();
  }
}
