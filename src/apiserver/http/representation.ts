// The forms in which objects travel: as they are, as a table, or as metadata alone. Chosen by the Accept header.
import type { JsonObject, KubeObject } from '../json.ts';
import { apiVersionOf, type ResourceType } from '../kinds/resource-type.ts';
import { StatusError } from '../status-error.ts';
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
    metadata,
    items: objects.map((object) => present(type, object)),
  }),
};

const partial: Representation = {
  name: 'partial',
  contentType: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  object: (_type, object) => toPartialMetadata(object),
  list: (_type, objects, metadata) => ({
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    items: objects.map(toPartialMetadata),
  }),
};

function table(rowObject: RowObject): Representation {
  return {
    name: `table-${rowObject}`,
    contentType: 'application/json;as=Table;g=meta.k8s.io;v=v1',
    object: (type, object) => {
      const { resourceVersion } = object.metadata;
      return toTable(type, [present(type, object)], resourceVersion ? { resourceVersion } : {}, rowObject);
    },
    list: (type, objects, metadata) =>
      toTable(
        type,
        objects.map((object) => present(type, object)),
        metadata,
        rowObject,
      ),
  };
}

/** The first form in an Accept header that is served; plain JSON when there is no header. @throws StatusError 406 */
export function negotiate(accept: string | undefined, includeObject: string | null): Representation {
  for (const clause of (accept || '*/*').split(',')) {
    const [mediaType = '', ...parameters] = clause.split(';').map((part) => part.trim());
    if (!['application/json', '*/*', 'application/*'].includes(mediaType)) continue;
    const values = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string]));
    const as = values.get('as');
    if (as === undefined) return plain;
    if (values.get('g') !== 'meta.k8s.io' || values.get('v') !== 'v1') continue;
    if (as === 'Table') {
      return table(includeObject === 'None' || includeObject === 'Object' ? includeObject : 'Metadata');
    }
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return partial;
  }
  const message = 'only the following media types are accepted: application/json';
  throw new StatusError(406, 'NotAcceptable', message);
}
