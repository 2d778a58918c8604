// Starts calicoctl. Loads the rest only once Node.js keeps what it compiles, which halves the start of every later command.
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { oldestNode } from './version.ts';

/**
 * `arguments_` are those after the program's name, `name` is what the person calls it. Returns the exit code: 0 when all is
 * well, 1 when anything failed or the line cannot be read.
 */
export async function runCalicoctl(arguments_: readonly string[], name = 'calicoctl'): Promise<number> {
  if (!isNewEnough()) {
    process.stderr.write(`${name} needs Node.js ${oldestNode} or newer, and this is ${process.version}\n`);
    return 1;
  }
  // In a folder of the person's own: compiled code is trusted, and anybody may write where Node.js keeps it by itself. Where
  // the folder cannot be made, nothing is kept.
  if (!process.env.NODE_COMPILE_CACHE) module.enableCompileCache(join(cacheHome(), 'calicoctl'));
  const { runCommandLine } = await import('./run.ts');
  return runCommandLine(arguments_, name);
}

function isNewEnough(): boolean {
  const [[major = 0, minor = 0], [leastMajor = 0, leastMinor = 0]] = [process.versions.node, oldestNode].map(
    (version) => version.split('.').map(Number),
  ) as [number[], number[]];
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** Source: https://specifications.freedesktop.org/basedir-spec/latest/ */
function cacheHome(): string {
  return process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
}
