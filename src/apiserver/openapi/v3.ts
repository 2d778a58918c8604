// OpenAPI v3, one document per group and version: schemas for `explain`, and paths enough for kubectl to see that fields are
// validated here and not by itself.
import type { JsonObject } from '../json.ts';
import { apiVersionOf, type ResourceType } from '../kinds/resource-type.ts';
import { metadataSchema } from '../objects/metadata.ts';
import type { Schema } from '../schema/schema.ts';

/** The index at /openapi/v3: "api/v1" or "apis/GROUP/VERSION" to the document's address. */
export function openApiIndex(types: readonly ResourceType[], generation: number): JsonObject {
  const paths: JsonObject = {};
  for (const type of types) {
    const path = documentPath(type);
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${generation}` };
  }
  return { paths };
}

function documentPath(type: ResourceType): string {
  return type.group ? `apis/${type.group}/${type.version}` : `api/${type.version}`;
}

/** The document at a path of the index; undefined when no kind is served there. */
export function openApiDocument(types: readonly ResourceType[], path: string): JsonObject | undefined {
  const served = types.filter((type) => documentPath(type) === path);
  if (served.length === 0) return undefined;
  const schemas: JsonObject = { ObjectMeta: metadataSchema as JsonObject };
  const paths: JsonObject = {};
  for (const type of served) {
    schemas[schemaName(type)] = schemaOf(type);
    const collection = `/${path}/${type.namespaced ? 'namespaces/{namespace}/' : ''}${type.plural}`;
    paths[collection] = { get: operation(type, 'list'), post: operation(type, 'post') };
    paths[`${collection}/{name}`] = {
      get: operation(type, 'get'),
      put: operation(type, 'put'),
      patch: operation(type, 'patch'),
      delete: operation(type, 'delete'),
    };
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.32.0' },
    paths,
    components: { schemas },
  };
}

function schemaName(type: ResourceType): string {
  return [...type.group.split('.').reverse(), type.version, type.kind]
    .filter((part) => part !== '')
    .join('.');
}

function schemaOf(type: ResourceType): JsonObject {
  const schema: Schema = {
    description: `${type.kind} of ${apiVersionOf(type)}`,
    ...type.schema,
    type: 'object',
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of this representation' },
      kind: { type: 'string', description: 'Kind of the object' },
      ...type.schema.properties,
    },
  };
  return {
    ...(schema as JsonObject),
    properties: {
      ...(schema.properties as JsonObject),
      metadata: {
        description: 'Name, labels and what the server keeps of every object',
        allOf: [{ $ref: '#/components/schemas/ObjectMeta' }],
      },
    },
    'x-kubernetes-group-version-kind': [kindOf(type)],
  };
}

function kindOf({ group, version, kind }: ResourceType): JsonObject {
  return { group, version, kind };
}

function operation(
  type: ResourceType,
  action: 'list' | 'post' | 'get' | 'put' | 'patch' | 'delete',
): JsonObject {
  const writes = action === 'post' || action === 'put' || action === 'patch';
  const names = writes ? ['dryRun', 'fieldManager', 'fieldValidation'] : [];
  return {
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kindOf(type),
    parameters: names.map((name) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } })),
    responses: { 200: { description: 'OK' } },
  };
}
