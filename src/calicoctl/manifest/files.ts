// Finds the texts behind `-f`: files, folders and the standard input.
import { readdirSync, readFileSync, statSync } from 'node:fs';
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

function filesAt(path: string, recursive: boolean): string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new CommandError(`Cannot read "${path}": there is no such file or folder`);
  if (!stats.isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const inner = join(path, entry.name);
      const isFolder =
        entry.isDirectory() ||
        (entry.isSymbolicLink() && statSync(inner, { throwIfNoEntry: false })?.isDirectory());
      if (isFolder) return recursive ? filesAt(inner, true) : [];
      return /\.(ya?ml|json)$/i.test(entry.name) ? [inner] : [];
    });
}

function readOrFail(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`Cannot read "${file}": ${why}`, undefined, { cause });
  }
}
