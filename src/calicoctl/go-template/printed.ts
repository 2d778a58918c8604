// Values as Go prints them: "[a b]" for lists, "map[k:v]" for maps, "<no value>" for what is missing; and the verbs of printf.
// Source: https://pkg.go.dev/fmt
import { TemplateError } from './template-error.ts';

export function printed(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  return inside(value);
}

/** Fills the verbs of a pattern ("%-10s|%5.2f|%d"); what does not fit is told in the text, as in Go. */
export function format(pattern: string, values: readonly unknown[]): string {
  let next = 0;
  const text = pattern.replaceAll(
    /%([-+# 0]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags, width, precision, verb) => {
      if (verb === '%') return '%';
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const body = verbatim(
        verb,
        values[next++],
        precision === undefined ? undefined : Number(precision),
        flags,
      );
      const size = Number(width ?? 0);
      if (flags.includes('-')) return body.padEnd(size);
      return body.padStart(size, flags.includes('0') && verb !== 's' ? '0' : ' ');
    },
  );
  return next < values.length ? `${text}%!(EXTRA ${values.slice(next).map(printed).join(', ')})` : text;
}

function inside(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(inside).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, member]) => `${key}:${inside(member)}`).join(' ')}]`;
}

function verbatim(verb: string, value: unknown, precision: number | undefined, flags: string): string {
  switch (verb) {
    case 'v':
    case 's': {
      const text =
        value === undefined || value === null ? (verb === 's' ? '%!s(<nil>)' : '<nil>') : inside(value);
      return precision === undefined ? text : text.slice(0, precision);
    }
    case 'q':
      return JSON.stringify(typeof value === 'string' ? value : inside(value));
    case 't':
      return String(value);
    case 'd':
      return typeof value === 'number' ? sign(value, flags) + Math.trunc(value) : `%!d(${inside(value)})`;
    case 'f':
    case 'g':
    case 'e':
      if (typeof value !== 'number') return `%!${verb}(${inside(value)})`;
      if (verb === 'g') return String(value);
      return verb === 'f' ? value.toFixed(precision ?? 6) : value.toExponential(precision ?? 6);
    case 'x':
    case 'X': {
      const hex = typeof value === 'number' ? value.toString(16) : Buffer.from(inside(value)).toString('hex');
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
  }
  throw new TemplateError(`printf does not know the verb "%${verb}"`);
}

function sign(value: number, flags: string): string {
  return flags.includes('+') && value >= 0 ? '+' : '';
}
