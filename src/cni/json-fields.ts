// Reads fields of a configuration that came as JSON, and says which one is not what it must be.
import { invalid } from './errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws CniError, code 7 */
export function readObject(value: unknown, what: string): JsonObject {
  if (isObject(value)) return value;
  throw invalid(`${what} is not an object`);
}

/** Upstream writes its booleans as strings. @throws CniError, code 7 */
export function readBoolean(value: unknown, otherwise: boolean, what: string): boolean {
  if (value === undefined) return otherwise;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw invalid(`${what} is ${JSON.stringify(value)}; it must be "true" or "false"`);
}

/** Undefined where there is none, and for an empty one. @throws CniError, code 7 */
export function readString(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw invalid(`${what} is ${JSON.stringify(value)}; it must be a string`);
}

/** @throws CniError, code 7 */
export function readStrings(value: unknown, what: string): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw invalid(`${what} is not a list of strings`);
}

/** A whole number from 0 to `most`; undefined where there is none, and for 0. @throws CniError, code 7 */
export function readCount(value: unknown, most: number, what: string): number | undefined {
  if (value === undefined || value === 0) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= most) return value;
  throw invalid(`${what} is ${JSON.stringify(value)}; it must be a whole number from 0 to ${most}`);
}
