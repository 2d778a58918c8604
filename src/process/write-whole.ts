// Files that appear whole or not at all, whoever reads them and whenever the disk is full or the machine stops.
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Another who opens the path sees what was there before or all of what `write` writes. When that fails, what was there before
 * stays, and nothing beside it. @throws the file system's errors
 */
export function writeWhole(path: string, mode: number, write: (unfinished: string) => void): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    // In a container the next process has the same number: what is left of the last one has rights of its own.
    rmSync(unfinished, { force: true });
    write(unfinished);
    chmodSync(unfinished, mode);
    renameSync(unfinished, path);
  } catch (error) {
    // On a full disk the beginning of it would only take up room.
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** The same of a text, which nobody whom `mode` does not name may read even while it is written. @throws the file system's errors */
export function writeTextWhole(path: string, mode: number, text: string): void {
  writeWhole(path, mode, (unfinished) => writeFileSync(unfinished, text, { mode, flag: 'wx', flush: true }));
}
