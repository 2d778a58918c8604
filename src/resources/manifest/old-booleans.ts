// Booleans as YAML 1.1 spells them, which Calico's users have written until now: kubectl and upstream's calicoctl read "yes" and
// "off" so, where our YAML is 1.2 and has texts.
// Source: https://yaml.org/type/bool.html
import { isMap, isScalar, isSeq } from 'yaml';
import { isObject, type JsonSchema } from '../json-schema.ts';

const words = new Map<unknown, boolean>();
for (const [value, names] of [
  [true, ['y', 'yes', 'on']],
  [false, ['n', 'no', 'off']],
] as const) {
  for (const name of names) {
    const capital = name.charAt(0).toUpperCase() + name.slice(1);
    for (const spelling of [name, capital, name.toUpperCase()]) words.set(spelling, value);
  }
}

/**
 * A copy of what a node of YAML says, in which such words are booleans where the schema wants booleans. Texts stay texts, and
 * so does what stands in quotes.
 */
export function withOldBooleans(schema: JsonSchema, value: unknown, node: unknown): unknown {
  if (schema.type === 'boolean') {
    return isScalar(node) && node.type === 'PLAIN' ? (words.get(value) ?? value) : value;
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items || !isSeq(node)) return value;
    return value.map((item, index) => withOldBooleans(items, item, node.get(index, true)));
  }
  if (!isObject(value) || !isMap(node)) return value;
  const { properties = {}, additionalProperties } = schema;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const inner = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
      return [name, inner ? withOldBooleans(inner, member, node.get(name, true)) : member];
    }),
  );
}
