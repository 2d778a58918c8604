// One object as `kubectl get --watch` follows it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

interface WatchEvent {
  readonly type: string;
  readonly object: { readonly spec: Record<string, unknown> };
}

export class KubectlWatch implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(environment: Readonly<Record<string, string>>, plural: string, name: string) {
    const words = ['get', plural, name, '--watch', '--output-watch-events'];
    // JSON that kubectl prints itself has many lines; what a path leads to has one.
    const output = 'jsonpath={"{\\"type\\":\\""}{.type}{"\\",\\"object\\":"}{.object}{"}\\n"}';
    this.#child = spawn('kubectl', [...words, '-o', output], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (!this.#child.stdout) throw new Error('Cannot watch: there is no pipe to kubectl');
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** The next event. @throws Error when kubectl ends instead */
  async next(): Promise<WatchEvent> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('The watch ended');
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const closed = once(this.#child, 'close');
    this.#child.kill();
    await closed;
  }
}
