// Where large things are kept that outlive a clone: the built Kubernetes, Debian's packages. Safe to delete at any time.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'calico-ts');

/** Path of what `make` once made under this name; `make` gets a path to write to, a file or a folder. */
export function cached(name: string, make: (unfinished: string) => void): string {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  // Under another name until it is whole, so that two who make it at once do not use each other's halves.
  const unfinished = `${path}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  make(unfinished);
  try {
    renameSync(unfinished, path);
  } catch (error) {
    // Somebody else was first with a folder of the same content.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    rmSync(unfinished, { recursive: true, force: true });
  }
  return path;
}

/** Sixteen hex digits for the content of files. */
export function digestOf(paths: readonly string[], ...more: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(readFileSync(path));
  for (const text of more) hash.update(text);
  return hash.digest('hex').slice(0, 16);
}
