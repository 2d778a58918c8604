// OpenAPI v2 for older kubectl, which validates by it before sending. Custom kinds alone are described: for built-in kinds
// kubectl has better knowledge of its own, and our open schemas would have it refuse fields that the server keeps.
import type { JsonObject } from '../json.ts';
import { apiVersionOf, type ResourceType } from '../kinds/resource-type.ts';
import type { Schema } from '../schema/schema.ts';

export function openApiV2(types: readonly ResourceType[]): JsonObject {
  const definitions: JsonObject = {};
  for (const type of types) {
    if (type.isBuiltIn) continue;
    const name = [...type.group.split('.').reverse(), type.version, type.kind].join('.');
    definitions[name] = definitionOf(type);
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'v1.32.0' },
    paths: {},
    definitions,
  };
}

function definitionOf(type: ResourceType): JsonObject {
  const { group, version, kind } = type;
  const properties: JsonObject = {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
  };
  for (const [field, schema] of Object.entries(type.schema.properties ?? {})) {
    if (field !== 'metadata') properties[field] = simplified(schema);
  }
  return {
    description: type.schema.description ?? `${kind} of ${apiVersionOf(type)}`,
    type: 'object',
    properties,
    'x-kubernetes-group-version-kind': [{ group, version, kind }],
  };
}

/** What version 2 and its reader in kubectl can say: no junctors, no null, and open objects without their fields. */
function simplified(schema: Schema): JsonObject {
  const description = schema.description ? { description: schema.description } : {};
  if (schema['x-kubernetes-int-or-string'])
    return { ...description, type: 'string', format: 'int-or-string' };
  // Where null or unknown fields are allowed, older kubectl can only be told that anything is.
  if (schema['x-kubernetes-preserve-unknown-fields'] || schema.nullable) return description;
  if (schema.type === 'array')
    return { ...description, type: 'array', items: simplified(schema.items ?? {}) };
  if (schema.type !== 'object') return { ...description, ...(schema.type ? { type: schema.type } : {}) };
  const simple: JsonObject = { ...description, type: 'object' };
  if (schema.properties) {
    const fields = Object.entries(schema.properties);
    simple.properties = Object.fromEntries(fields.map(([field, child]) => [field, simplified(child)]));
    if (schema.required) simple.required = [...schema.required];
  } else if (typeof schema.additionalProperties === 'object') {
    simple.additionalProperties = simplified(schema.additionalProperties);
  }
  return simple;
}
