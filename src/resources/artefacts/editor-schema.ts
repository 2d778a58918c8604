// A kind's objects as plain JSON Schema, for editors to complete and check files as they are written.
// What only Kubernetes understands is left out; unknown fields are errors, as they are for calicoctl.
import { type JsonSchema, jsonSchemaOf } from '../json-schema.ts';
import { apiVersionOf, type ResourceKind } from '../resource.ts';

/** A JSON Schema of draft 7, which is what editors' YAML servers read. */
export function editorSchema(kind: ResourceKind): object {
  const { properties = {}, required = [] } = kind.schema ? jsonSchemaOf(kind.schema) : {};
  const strings = { type: 'object', additionalProperties: { type: 'string' } };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: kind.kind,
    description: kind.description,
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', ...required],
    additionalProperties: false,
    properties: {
      apiVersion: { const: apiVersionOf(kind) },
      kind: { const: kind.kind },
      metadata: {
        type: 'object',
        properties: {
          name: { type: 'string', maxLength: 253 },
          ...(kind.namespaced && { namespace: { type: 'string', maxLength: 253 } }),
          labels: strings,
          annotations: strings,
        },
      },
      ...forEditors(properties),
    },
  };
}

const kept = [
  'description',
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
] as const;

function plain(schema: JsonSchema): object {
  const { type, items, properties, required = [], additionalProperties, format, pattern } = schema;
  const isEither = schema['x-kubernetes-int-or-string'] === true;
  return {
    ...(isEither ? { type: ['integer', 'string'] } : { type: schema.nullable ? [type, 'null'] : type }),
    ...Object.fromEntries(kept.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]])),
    ...(pattern !== undefined && !isEither && { pattern: forJavaScript(pattern) }),
    ...(format === 'date-time' && { format }),
    ...(schema['x-kubernetes-list-type'] === 'set' && { uniqueItems: true }),
    ...(items && { items: plain(items) }),
    ...(required.length > 0 && { required }),
    ...(properties && { properties: forEditors(properties) }),
    ...(properties && { additionalProperties: false }),
    ...(additionalProperties && { additionalProperties: plain(additionalProperties) }),
  };
}

function forEditors(properties: Record<string, JsonSchema>): object {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, plain(schema)]));
}

/** Go's flag "(?i)" does not exist in JSON Schema: each letter stands for both of its cases instead. */
function forJavaScript(pattern: string): string {
  if (!pattern.includes('(?i)')) return pattern;
  return pattern
    .replace('(?i)', '')
    .replace(/[A-Za-z]/g, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`);
}
