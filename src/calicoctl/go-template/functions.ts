// The functions that templates may call: Go's own, and upstream's "join".
import { format, printed } from './printed.ts';
import { TemplateError } from './template-error.ts';

/** Arguments are computed when asked for, because "and" and "or" stop at the first that decides. */
type Argument = () => unknown;

export function callFunction(name: string, arguments_: readonly Argument[]): unknown {
  const chosen = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!chosen) throw new TemplateError(`function "${name}" is not defined`);
  return chosen(...arguments_);
}

/** False, zero, empty and missing are not true. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A function of computed arguments, of which it needs at least so many. */
function eager(name: string, least: number, call: (...values: unknown[]) => unknown) {
  return (...arguments_: Argument[]) => {
    if (arguments_.length < least) {
      throw new TemplateError(`"${name}" needs ${least} arguments and was given ${arguments_.length}`);
    }
    return call(...arguments_.map((argument) => argument()));
  };
}

const functions: Record<string, (...arguments_: Argument[]) => unknown> = {
  and: (...arguments_) => decide(arguments_, (value) => !isTrue(value)),
  or: (...arguments_) => decide(arguments_, isTrue),
  not: eager('not', 1, (value) => !isTrue(value)),
  eq: eager('eq', 2, (first, ...others) => others.some((other) => isEqual(first, other))),
  ne: eager('ne', 2, (a, b) => !isEqual(a, b)),
  lt: eager('lt', 2, (a, b) => compare(a, b) < 0),
  le: eager('le', 2, (a, b) => compare(a, b) <= 0),
  gt: eager('gt', 2, (a, b) => compare(a, b) > 0),
  ge: eager('ge', 2, (a, b) => compare(a, b) >= 0),
  len: eager('len', 1, lengthOf),
  index: eager('index', 1, (value, ...keys) => keys.reduce(memberOf, value)),
  slice: eager('slice', 1, sliceOf),
  print: eager('print', 0, (...values) => values.map(printed).join('')),
  println: eager('println', 0, (...values) => `${values.map(printed).join(' ')}\n`),
  printf: eager('printf', 1, (pattern, ...values) => format(String(pattern), values)),
  join: eager('join', 2, (list, separator) =>
    Array.isArray(list) ? list.map(printed).join(String(separator)) : '',
  ),
  html: eager('html', 1, (value) => escapeHtml(printed(value))),
  urlquery: eager('urlquery', 1, (value) => encodeURIComponent(printed(value))),
};

/** The first argument that ends it, or else the last. */
function decide(arguments_: readonly Argument[], ends: (value: unknown) => boolean): unknown {
  let value: unknown;
  for (const argument of arguments_) {
    value = argument();
    if (ends(value)) break;
  }
  return value;
}

function isEqual(a: unknown, b: unknown): boolean {
  return (a ?? undefined) === (b ?? undefined);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : Number(a > b);
  throw new TemplateError(`${JSON.stringify(a)} and ${JSON.stringify(b)} cannot be compared`);
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  throw new TemplateError(`${JSON.stringify(value) ?? 'nothing'} has no length`);
}

function memberOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    if (typeof key === 'number' && key >= 0 && key < value.length) return value[key];
    throw new TemplateError(`index ${JSON.stringify(key)} is out of range of a list of ${value.length}`);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.hasOwn(value, String(key)) ? Reflect.get(value, String(key)) : undefined;
  }
  throw new TemplateError(`${JSON.stringify(value) ?? 'nothing'} has no members to index`);
}

function sliceOf(value: unknown, from: unknown, to: unknown): unknown {
  if (!Array.isArray(value) && typeof value !== 'string')
    throw new TemplateError('only a list or a text can be sliced');
  return value.slice(Number(from ?? 0), to === undefined ? undefined : Number(to));
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '<': '&lt;',
    '>': '&gt;',
    '&': '&amp;',
    '"': '&#34;',
    "'": '&#39;',
  };
  return text.replaceAll(/[<>&"']/g, (sign) => entities[sign] ?? sign);
}
