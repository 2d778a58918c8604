// What a field's value must be, in the few words that fit into a table.
import type { JsonSchema } from '../json-schema.ts';

/** Short phrases, the widest bound first; none when anything of the type will do. */
export function boundsOf(schema: JsonSchema): string[] {
  return [
    schema.enum?.map((value) => (value === '' ? 'empty' : `\`${value}\``)).join(', '),
    schema.format === 'cidr' && 'a CIDR',
    patternOf(schema),
    rangeOf(schema.minimum, schema.maximum),
    countOf(schema.minLength, schema.maxLength, 'characters'),
    countOf(schema.minItems, schema.maxItems, 'items'),
    countOf(schema.minProperties, schema.maxProperties, 'fields'),
    schema['x-kubernetes-list-type'] === 'set' && 'no duplicates',
    ...rulesOf(schema),
  ]
    .filter((phrase) => typeof phrase === 'string')
    .map((phrase) => phrase.replace(/^must be /, ''));
}

/** What the fields of an object, or a value, must satisfy besides; each follows the name of what carries it. */
export function rulesOf(schema: JsonSchema): string[] {
  return (schema['x-kubernetes-validations'] ?? []).map(({ message }) => message);
}

function patternOf({ pattern, patternMessage }: JsonSchema): string | undefined {
  if (pattern === undefined || pattern === '^.*') return undefined;
  return patternMessage ?? `must match \`${pattern}\``;
}

function rangeOf(minimum: number | undefined, maximum: number | undefined): string | undefined {
  if (minimum === undefined) return maximum === undefined ? undefined : `at most ${maximum}`;
  return maximum === undefined ? `at least ${minimum}` : `${minimum} to ${maximum}`;
}

function countOf(minimum: number | undefined, maximum: number | undefined, what: string): string | undefined {
  if (minimum !== undefined && minimum === maximum) return `exactly ${minimum} of its ${what}`;
  const least = minimum === undefined ? [] : [`at least ${minimum}`];
  const most = maximum === undefined ? [] : [`at most ${maximum}`];
  const words = [...least, ...most];
  return words.length === 0 ? undefined : `${words.join(' and ')} ${what}`;
}
