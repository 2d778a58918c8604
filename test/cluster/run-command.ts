// Runs a command to its end and gives what it printed.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface CommandOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Starts the process where it belongs. */
  readonly spawnThere?: <T>(start: () => T) => T;
}

/** It ended with another code than 0; the message is what it wrote to stderr. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: number | null;
  readonly stdout: string;

  constructor(command: readonly string[], code: number | null, stdout: string, stderr: string) {
    super(`${command.join(' ')}: ${stderr.trim() || `exit code ${code}`}`);
    this.code = code;
    this.stdout = stdout;
  }
}

/** @throws CommandError */
export async function runCommand(
  command: readonly [string, ...string[]],
  { environment, input = '', spawnThere = (start) => start() }: CommandOptions = {},
): Promise<string> {
  const [program, ...args] = command;
  const child = spawnThere(() =>
    spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...environment } }),
  );
  // A command that reads nothing, or ends first, closes the pipe before all is written; its exit code says the rest.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new CommandError(command, code, stdout, stderr);
  return stdout;
}
