// The forms in which objects travel: as they are, as a table, or as metadata alone. Chosen by the Accept header.
import type { JsonObject, KubeObject } from '../json.ts';
import { apiVersionOf, type ResourceType } from '../kinds/resource-type.ts';
import { badRequest, StatusError } from '../status-error.ts';
import { type RowObject, toPartialMetadata, toTable } from '../table/table.ts';

export interface Representation {
  /** Two representations of one name yield the same bytes. */
  readonly name: string;
  readonly contentType: string;
  object(type: ResourceType, object: KubeObject): JsonObject;
  list(type: ResourceType, objects: readonly KubeObject[], metadata: JsonObject): JsonObject;
}

/** The stored object under the version that was asked for; versions differ in their name only. */
export function present(type: ResourceType, object: KubeObject): KubeObject {
  const apiVersion = apiVersionOf(type);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

const plain: Representation = {
  name: 'plain',
  contentType: 'application/json',
  object: present,
  list: (type, objects, metadata) => ({
    kind: `${type.kind}List`,
    apiVersion: apiVersionOf(type),
    // Of custom kinds the real server says it of the last page, too.
    metadata: type.isBuiltIn ? metadata : { continue: '', ...metadata },
    items: objects.map((object) => (type.isBuiltIn ? itemOf(object) : present(type, object))),
  }),
};

/** What a list of a built-in kind says of its items it says once. */
function itemOf(object: KubeObject): JsonObject {
  return { ...object, apiVersion: undefined, kind: undefined };
}

function partial(version: string): Representation {
  const apiVersion = `meta.k8s.io/${version}`;
  return {
    name: `partial-${version}`,
    contentType: 'application/json',
    object: (_type, object) => ({ ...toPartialMetadata(object), apiVersion }),
    list: (_type, objects, metadata) => ({
      kind: 'PartialObjectMetadataList',
      apiVersion,
      metadata,
      items: objects.map((object) => ({ ...toPartialMetadata(object), apiVersion })),
    }),
  };
}

function table(version: string, rowObject: RowObject): Representation {
  const apiVersion = `meta.k8s.io/${version}`;
  return {
    name: `table-${version}-${rowObject}`,
    contentType: 'application/json',
    object: (type, object) => {
      const { resourceVersion } = object.metadata;
      const metadata = resourceVersion ? { resourceVersion } : {};
      return { ...toTable(type, [present(type, object)], metadata, rowObject), apiVersion };
    },
    list: (type, objects, metadata) => {
      const presented = objects.map((object) => present(type, object));
      const rows = toTable(type, presented, metadata, rowObject);
      // Definitions are served by a server of their own, which has it so.
      const isNull = presented.length === 0 && type.kind === 'CustomResourceDefinition';
      return { ...rows, ...(isNull && { rows: null }), apiVersion };
    },
  };
}

function rowObjectIn(includeObject: string | null): RowObject {
  const value = includeObject || 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  const why = "must be 'Metadata', 'Object', 'None', or empty";
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: ${why}`,
  );
}

const served = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const servedStreams = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];
const taken = ['application/json', 'application/yaml', '*/*', 'application/*'];

/** Whether an answer is asked for in YAML before anything else that is served. */
export function wantsYaml(accept: string | undefined): boolean {
  const types = (accept || '*/*').split(',').map((clause) => clause.split(';')[0]?.trim() ?? '');
  return types.find((type) => taken.includes(type)) === 'application/yaml';
}

export interface Asked {
  readonly type: ResourceType;
  readonly includeObject: string | null;
  readonly isList: boolean;
  readonly isWatch: boolean;
}

/**
 * The first form in an Accept header that is served; JSON as it is when there is no header. Nothing is served in protobuf, though it
 * is said to be: who asks for it takes JSON as well.
 * @throws StatusError 400, 406, 500
 */
export function negotiate(accept: string | undefined, asked: Asked): Representation {
  const clauses = (accept || '*/*').split(',').map((clause) => clause.split(';').map((part) => part.trim()));
  const understood = clauses.filter(([mediaType = '']) => taken.includes(mediaType));
  for (const [mediaType, ...parameters] of understood) {
    if (asked.isWatch && mediaType === 'application/yaml') continue;
    const values = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string]));
    const as = values.get('as');
    const version = values.get('v') ?? '';
    if (as === undefined) return plain;
    if (values.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue;
    if (as === 'Table') return table(version, rowObjectIn(asked.includeObject));
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
      assertFits(as, asked);
      return partial(version);
    }
  }
  const asStream = asked.isWatch && understood.some(([mediaType]) => mediaType === 'application/yaml');
  if (understood.length === 0 && asked.type.isBuiltIn) {
    const types = asked.isList ? [...served, ...servedStreams] : served;
    const message = `406: Not Acceptable\n\nAvailable representations: ${types.join(', ')}`;
    throw new StatusError(406, 'NotAcceptable', message, {});
  }
  const types = asStream ? servedStreams : served;
  throw notAcceptable(`only the following media types are accepted: ${types.join(', ')}`);
}

/** Metadata of a list is asked for as such, and that of one object as well. */
function assertFits(as: string, { type, isList, isWatch }: Asked): void {
  const isOfMany = isList && !isWatch;
  if (isOfMany === as.endsWith('List')) return;
  if (!isOfMany && !type.isBuiltIn) throw new StatusError(500, '', 'content is not a list');
  const name = `*${type.group.split('.')[0] || 'core'}.${type.kind}`;
  const list = type.isBuiltIn ? `${name}List` : '*unstructured.UnstructuredList';
  const object = isOfMany ? `a list (${list})` : `not a list (${name})`;
  throw notAcceptable(`you requested ${as}, but the requested object is ${object}`);
}

function notAcceptable(message: string): StatusError {
  return new StatusError(406, 'NotAcceptable', message);
}
