// DELs that could not be done when they came, because calico-node or the datastore was away: a file each, for root alone, so
// that none is lost and the runtime need not wait. The shim writes them too, and so this file imports nothing heavy.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readShimRequest, type ShimRequest } from './wire.ts';

const suffix = '.json';

/** Keeps a DEL in a folder, once however often it comes. What is there is whole, also after a crash. @throws the file system's errors */
export function keepDeletion(folder: string, request: ShimRequest): void {
  const { program, environment, stdin } = request;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { CNI_CONTAINERID, CNI_IFNAME } = environment;
  const identity = JSON.stringify([program, CNI_CONTAINERID, CNI_IFNAME, stdin]);
  // Imported, it would double what each start of the shim costs.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const path = join(folder, createHash('sha256').update(identity).digest('hex').slice(0, 32) + suffix);
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, JSON.stringify(request), { mode: 0o600, flush: true });
    renameSync(unfinished, path);
  } catch (error) {
    // On a full disk the beginning of it would only take up room.
    rmSync(unfinished, { force: true });
    throw error;
  }
}

export interface KeptDeletion {
  readonly path: string;
  /** Undefined when the file is not what the shim writes. */
  readonly request: ShimRequest | undefined;
}

/** In no order; none when there is no such folder. */
export function keptDeletions(folder: string): KeptDeletion[] {
  return namesIn(folder)
    .filter((name) => name.endsWith(suffix))
    .flatMap((name) => {
      const path = join(folder, name);
      const text = textOf(path);
      return text === undefined ? [] : [{ path, request: readShimRequest(text) }];
    });
}

export function forgetDeletion({ path }: KeptDeletion): void {
  rmSync(path, { force: true });
}

/** Keeps one that can never be done for people to look at, where it is not tried again. */
export function setDeletionAside({ path }: KeptDeletion): void {
  renameSync(path, `${path}.refused`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Undefined when it was done and taken away since it was listed; empty for what cannot be read, which is no request. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return isMissing(error) ? undefined : '';
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
