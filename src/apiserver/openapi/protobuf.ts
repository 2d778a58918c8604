// Encodes an OpenAPI v2 document as the gnostic protobuf message `openapi.v2.Document`: kubectl before 1.27 takes no other form.
// Field numbers are those of gnostic's OpenAPIv2.proto; only what openapi/v2.ts writes is covered.
import { isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from '../json.ts';

export const openApiV2Protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

const documentFields = { swagger: 1, info: 2, paths: 8, definitions: 9 };
const infoFields = { title: 1, version: 2 };
const namedFields = { name: 1, value: 2 };
const schemaFields = {
  format: 2,
  description: 4,
  required: 19,
  additionalProperties: 21,
  type: 22,
  items: 23,
  properties: 25,
  vendorExtension: 31,
};
/** Of `Any`: the value as YAML text, of which JSON is a part. */
const anyYaml = 2;

export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const info = objectAt(document, 'info');
  return Buffer.concat([
    text(documentFields.swagger, stringAt(document, 'swagger')),
    message(documentFields.info, [
      text(infoFields.title, stringAt(info, 'title')),
      text(infoFields.version, stringAt(info, 'version')),
    ]),
    message(documentFields.paths, []),
    message(documentFields.definitions, namedSchemas(objectAt(document, 'definitions'))),
  ]);
}

/** `repeated NamedSchema additional_properties = 1`, the shape of both Definitions and Properties. */
function namedSchemas(schemas: JsonObject): Buffer[] {
  return Object.entries(schemas).map(([name, schema]) =>
    message(1, [text(namedFields.name, name), message(namedFields.value, schemaMessage(schema))]),
  );
}

function schemaMessage(schema: Json | undefined): Buffer[] {
  if (!isObject(schema)) return [];
  const parts: Buffer[] = [
    text(schemaFields.format, stringAt(schema, 'format')),
    text(schemaFields.description, stringAt(schema, 'description')),
    ...listAt(schema, 'required').map((field) => text(schemaFields.required, String(field))),
  ];
  // Each wrapper message holds its one thing in field 1.
  if (isObject(schema.additionalProperties)) {
    const inner = message(1, schemaMessage(schema.additionalProperties));
    parts.push(message(schemaFields.additionalProperties, [inner]));
  }
  if (typeof schema.type === 'string') parts.push(message(schemaFields.type, [text(1, schema.type)]));
  if (isObject(schema.items))
    parts.push(message(schemaFields.items, [message(1, schemaMessage(schema.items))]));
  if (isObject(schema.properties))
    parts.push(message(schemaFields.properties, namedSchemas(schema.properties)));
  for (const [name, value] of Object.entries(schema)) {
    if (!name.startsWith('x-')) continue;
    const any = message(namedFields.value, [text(anyYaml, JSON.stringify(value))]);
    parts.push(message(schemaFields.vendorExtension, [text(namedFields.name, name), any]));
  }
  return parts;
}

/** A length-delimited field (wire type 2). */
function delimited(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}

function message(field: number, parts: readonly Buffer[]): Buffer {
  return delimited(field, Buffer.concat(parts));
}

/** Empty text is the default and is not sent. */
function text(field: number, content: string): Buffer {
  return content === '' ? Buffer.alloc(0) : delimited(field, Buffer.from(content));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
