// For kinds of which a misfit still counts for something: the parts of it that anybody may believe.
import { isObject } from '../json-schema.ts';
import type { Resource } from '../resource.ts';

/** The object with what names it and its state, and nothing else that may be of any type. */
export function salvagedOutline({ apiVersion, kind, metadata }: Resource): Resource {
  const { name, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(typeof uid === 'string' && { uid }),
      ...(typeof resourceVersion === 'string' && { resourceVersion }),
    },
  };
}

/** Whatever was written as the spec; undefined when that has no fields. */
export function fieldsOf(object: Resource): Readonly<Record<string, unknown>> | undefined {
  const { spec } = object as { readonly spec?: unknown };
  return isObject(spec) ? spec : undefined;
}
