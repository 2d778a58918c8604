// The log of requests that a network configuration asks for with `log_file_path`, besides the agent's own: a line of JSON per
// request, in files that are turned over when they are large, and removed when they are old or too many.
import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type JsonObject, readCount, readString } from './json-fields.ts';

const levels = ['debug', 'info', 'warning', 'error'] as const;

export type LogLevel = (typeof levels)[number];

export interface RequestLogSettings {
  readonly path: string;
  /** What is less grave is left out. */
  readonly level: LogLevel;
  /** Of a file before it is turned over. */
  readonly maxBytes: number;
  /** How old a file that was turned over may get, in ms. */
  readonly maxAgeMs: number;
  /** How many files that were turned over are kept. */
  readonly maxFiles: number;
}

const mebibyte = 1024 * 1024;
const dayMs = 24 * 60 * 60 * 1000;
/** What a file that was turned over is called after its own name: the time, without colons. */
const turnTime = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/;

/** Undefined when no file is wanted. Defaults are upstream's: 100 MiB, 30 days, 10 files. @throws CniError, code 7 */
export function readLogSettings(raw: JsonObject): RequestLogSettings | undefined {
  const path = readString(raw.log_file_path, '"log_file_path"');
  const level = readLevel(raw.log_level);
  const count = (key: string, otherwise: number) => readCount(raw[key], 1_000_000, `"${key}"`) ?? otherwise;
  const maxBytes = count('log_file_max_size', 100) * mebibyte;
  const maxAgeMs = count('log_file_max_age', 30) * dayMs;
  const maxFiles = count('log_file_max_count', 10);
  return path === undefined ? undefined : { path, level, maxBytes, maxAgeMs, maxFiles };
}

/** Notes one request. @throws the file system's errors */
export function noteRequest(
  { path, level: least, maxBytes, maxAgeMs, maxFiles }: RequestLogSettings,
  level: LogLevel,
  entry: object,
  now = new Date(),
): void {
  if (levels.indexOf(level) < levels.indexOf(least)) return;
  mkdirSync(dirname(path), { recursive: true });
  const line = `${JSON.stringify({ time: now.toISOString(), level, ...entry })}\n`;
  const size = sizeOf(path);
  if (size > 0 && size + Buffer.byteLength(line) > maxBytes) {
    renameSync(path, `${path}.${now.toISOString().replaceAll(':', '-')}`);
    prune(path, now.getTime() - maxAgeMs, maxFiles);
  }
  appendFileSync(path, line, { mode: 0o600 });
}

/** What upstream does not know, such as "none" or "fatal", is "info" to it. */
function readLevel(value: unknown): LogLevel {
  const text = (readString(value, '"log_level"') ?? 'info').toLowerCase();
  return levels.find((known) => known === text || (known === 'warning' && text === 'warn')) ?? 'info';
}

/** 0 when there is no such file. */
function sizeOf(path: string): number {
  const stats: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  return stats?.size ?? 0;
}

/** The names of files that were turned over tell when, and sort by it. */
function prune(path: string, since: number, maxFiles: number): void {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  const turnedOver = readdirSync(folder)
    // Others may have files there whose names begin alike, as log collectors do.
    .filter((name) => name.startsWith(start) && turnTime.test(name.slice(start.length)))
    .toSorted()
    .reverse();
  for (const [age, name] of turnedOver.entries()) {
    const file = join(folder, name);
    const stats = statSync(file, { throwIfNoEntry: false });
    if (age >= maxFiles || (stats && stats.mtimeMs < since)) rmSync(file, { force: true });
  }
}
