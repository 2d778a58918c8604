// Finds the texts behind `-f`: files, folders and the standard input.
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import type { FileOptions } from '../options.ts';
import { CommandError } from '../problem.ts';

export interface SourceText {
  /** How the source is called in messages: its path, or "-" for the standard input. */
  readonly file: string;
  readonly text: string;
}

/** In the order of the command line; a folder's files by name. @throws CommandError when one cannot be read */
export async function readSources({ filename = [], recursive = false }: FileOptions): Promise<SourceText[]> {
  const sources: SourceText[] = [];
  for (const path of filename) {
    if (path === '-') sources.push({ file: '-', text: await readAll(process.stdin) });
    else for (const file of filesAt(path, recursive)) sources.push({ file, text: readOrFail(file) });
  }
  return sources;
}

/** `above` are the folders that it lies in, without links: a link back to one of them adds nothing. */
function filesAt(path: string, recursive: boolean, above: readonly string[] = []): string[] {
  const stats = tried(path, () => statSync(path, { throwIfNoEntry: false }));
  if (!stats) throw new CommandError(`Cannot read "${path}": there is no such file or folder`);
  if (!stats.isDirectory()) return [path];
  const folder = tried(path, () => realpathSync(path));
  if (above.includes(folder)) return [];
  return tried(path, () => readdirSync(path, { withFileTypes: true }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const inner = join(path, entry.name);
      const isManifest = /\.(ya?ml|json)$/i.test(entry.name);
      if (!entry.isDirectory() && !entry.isSymbolicLink()) return isManifest ? [inner] : [];
      // Links that lead nowhere are somebody else's affair, unless they are called like what is asked for.
      const isFolder = entry.isDirectory() || isLinkToFolder(inner);
      if (isFolder) return recursive ? filesAt(inner, true, [...above, folder]) : [];
      return isManifest ? [inner] : [];
    });
}

function isLinkToFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Whoever reads it says why it cannot be read.
    return false;
  }
}

function readOrFail(file: string): string {
  return tried(file, () => readFileSync(file, 'utf8'));
}

function tried<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ELOOP' ? 'its links lead round in a circle' : message;
    throw new CommandError(`Cannot read "${path}": ${why}`, undefined, { cause });
  }
}
