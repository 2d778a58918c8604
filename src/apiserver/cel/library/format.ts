// CEL's "...".format([...]), with which messages of rules are put together.
// Source: https://pkg.go.dev/github.com/google/cel-go/ext#Strings
import type { Environment } from '@marcbachmann/cel-js';
import { noResult } from '../fault.ts';

export function registerFormat(environment: Environment): void {
  environment.registerFunction('string.format(list<dyn>): string', format, { async: false });
}

function format(text: string, values: Iterable<unknown>): string {
  const rest = [...values];
  const result = text.replace(/%(?:%|(?:\.(\d+))?(.))/gs, (clause, precision?: string, verb?: string) => {
    if (verb === undefined) return '%';
    if (rest.length === 0) throw noResult(`index ${[...values].length} out of range`);
    return formatOne(clause, verb, rest.shift(), precision === undefined ? 6 : Number(precision));
  });
  return result;
}

function formatOne(clause: string, verb: string, value: unknown, precision: number): string {
  if (verb === 's') return textOf(value);
  if (typeof value === 'bigint') {
    if (verb === 'd') return value.toString();
    if (verb === 'b') return value.toString(2);
    if (verb === 'o') return value.toString(8);
    if (verb === 'x') return value.toString(16);
    if (verb === 'X') return value.toString(16).toUpperCase();
  }
  if (typeof value === 'number') {
    if (verb === 'd') return String(value);
    if (verb === 'f') return value.toFixed(precision);
    if (verb === 'e') return value.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2');
  }
  throw noResult(`could not parse formatting clause "${clause}"`);
}

function textOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof Map) {
    const entries = [...value].map(([key, one]) => `${textOf(key)}: ${textOf(one)}`);
    return `{${entries.sort().join(', ')}}`;
  }
  if (Array.isArray(value) || value instanceof Set) return `[${[...value].map(textOf).join(', ')}]`;
  return String(value);
}
