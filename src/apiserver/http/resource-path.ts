// Reads resource paths: /api/v1/..., /apis/GROUP/VERSION/..., with or without a namespace.
import type { Registry } from '../kinds/registry.ts';
import type { ResourceType, SubresourceName } from '../kinds/resource-type.ts';
import { badRequest, notFound } from '../status-error.ts';

export interface ResourcePath {
  readonly type: ResourceType;
  /** Absent for cluster-scoped kinds and for requests over all namespaces. */
  readonly namespace?: string;
  /** Absent for the collection. */
  readonly name?: string;
  readonly subresource?: SubresourceName;
}

/** Undefined when the path names no kind that is served. @throws StatusError 404 for what a custom kind has no part of */
export function parseResourcePath(registry: Registry, path: readonly string[]): ResourcePath | undefined {
  const [root, ...rest] = path;
  const [group, version, ...tail] = root === 'api' ? ['', ...rest] : rest;
  if ((root !== 'api' && root !== 'apis') || group === undefined || version === undefined) return undefined;
  // "/namespaces/a/pods" is about pods in a; "/namespaces/a" and "/namespaces/a/status" about the namespace.
  const isInNamespace =
    tail[0] === 'namespaces' && tail.length > 2 && tail[2] !== 'status' && tail[2] !== 'finalize';
  const namespace = isInNamespace ? tail[1] : undefined;
  const [plural = '', name, part, ...surplus] = isInNamespace ? tail.slice(2) : tail;
  const type = registry.find(group, version, plural);
  if (!type || surplus.length > 0) return undefined;
  if (name === '.' || name === '..') {
    throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: may not be '${name}'`);
  }
  if (namespace !== undefined && !type.namespaced) return undefined;
  // What is only asked has no objects.
  if (name !== undefined && type.answer) return undefined;
  // An object of a namespaced kind has no address outside of its namespace.
  if (name !== undefined && type.namespaced && namespace === undefined) return undefined;
  const subresource = subresourceOf(type, part);
  if (part !== undefined && subresource === undefined) {
    if (type.isBuiltIn || name === undefined) return undefined;
    // As the real server says it of custom kinds, whether there is such an object or not.
    throw notFound(type, name);
  }
  return {
    type,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function subresourceOf(type: ResourceType, part: string | undefined): SubresourceName | undefined {
  if (part === 'status' && type.hasStatus) return part;
  return type.subresources.find(({ name }) => name === part)?.name;
}
