// BIRD's control socket: what birdc speaks. A question is a line; the answer is lines that begin with a code of four
// digits, a dash after it on all but the last. Source: BIRD's doc/reply_codes.
import { connect, type Socket } from 'node:net';

export interface BirdLine {
  /** 0xxx: done. 1xxx: a part of a table. 8xxx: cannot be done. 9xxx: not understood. */
  readonly code: number;
  readonly text: string;
}

/** BIRD answered that it will not, or does not understand. */
export class BirdRefusal extends Error {
  override readonly name = 'BirdRefusal';
}

interface Question {
  readonly command: string;
  readonly lines: BirdLine[];
  readonly answer: PromiseWithResolvers<readonly BirdLine[]>;
}

export class BirdConnection {
  readonly #socket: Socket;
  /** The first is being answered. */
  readonly #questions: Question[] = [];
  readonly #closed = Promise.withResolvers<void>();
  #code = 0;
  /** The beginning of a line whose end has not come yet. */
  #rest = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @throws Error with the system's code (ENOENT, ECONNREFUSED) when nobody listens there */
  static async open(path: string): Promise<BirdConnection> {
    const socket = connect(path);
    const connection = new BirdConnection(socket);
    const ready = Promise.withResolvers<readonly BirdLine[]>();
    // The greeting is an answer to nothing.
    connection.#questions.push({ command: '', lines: [], answer: ready });
    socket.setEncoding('utf8').on('data', (text: string) => connection.#read(text));
    socket.on('error', (error) => connection.#end(error));
    socket.on('close', () => connection.#end(new Error('BIRD closed its control socket')));
    await ready.promise;
    return connection;
  }

  /** Resolves when BIRD has gone away, or `close` was called. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Every line of the answer. @throws BirdRefusal with BIRD's words, Error when BIRD went away before it answered */
  ask(command: string): Promise<readonly BirdLine[]> {
    if (this.#socket.destroyed) return Promise.reject(new Error('BIRD closed its control socket'));
    const answer = Promise.withResolvers<readonly BirdLine[]>();
    this.#questions.push({ command, lines: [], answer });
    this.#socket.write(`${command}\n`);
    return answer.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    const question = this.#questions[0];
    // Lines that begin with a plus are messages for whoever asked to see the log; nobody does.
    if (!question || line.startsWith('+')) return;
    const [, code, mark, text] = /^([0-9]{4})([ -])(.*)$/.exec(line) ?? [];
    if (code === undefined) {
      question.lines.push({ code: this.#code, text: line.slice(1) });
      return;
    }
    this.#code = Number(code);
    question.lines.push({ code: this.#code, text: text ?? '' });
    if (mark === '-') return;
    this.#questions.shift();
    if (this.#code < 8000) question.answer.resolve(question.lines);
    else question.answer.reject(new BirdRefusal(`BIRD refuses "${question.command}": ${text}`));
  }

  #end(error: Error): void {
    this.#socket.destroy();
    for (const { answer } of this.#questions.splice(0)) answer.reject(error);
    this.#closed.resolve();
  }
}
