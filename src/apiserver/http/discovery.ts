// Discovery: which groups, versions and resources there are, in the plain and in the aggregated form.
import type { Json, JsonObject } from '../json.ts';
import type { Registry } from '../kinds/registry.ts';
import type { ResourceType } from '../kinds/resource-type.ts';
import { json, type Reply } from './reply.ts';

/** In the order in which the real server has them. */
function verbsOf({ isBuiltIn, hasCollectionDelete, verbs }: ResourceType): string[] {
  if (verbs) return [...verbs];
  const all = isBuiltIn
    ? ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
    : ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
  return all.filter((verb) => verb !== 'deletecollection' || hasCollectionDelete);
}

const statusVerbs = ['get', 'patch', 'update'];
const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Answers /api, /apis and what lies between them and the resources; undefined when the path is none of these. */
export function discover(registry: Registry, path: readonly string[], accept: string): Reply | undefined {
  const [root, group, version] = path;
  if (root !== 'api' && root !== 'apis') return undefined;
  const types = registry.types;
  if (path.length === 1) {
    const wantsAggregated = /g=apidiscovery\.k8s\.io/.test(accept) && /v=v2(;|,|$)/.test(accept);
    if (wantsAggregated) return json(200, aggregated(types, root), aggregatedType);
    return json(200, root === 'api' ? coreVersions : groupList(types));
  }
  if (root === 'api')
    return path.length === 2 && group === 'v1' ? json(200, resourceList(types, '', 'v1')) : undefined;
  if (
    group === undefined ||
    !versionsOf(types, group).some((one) => version === undefined || one === version)
  ) {
    return undefined;
  }
  if (path.length === 2) return json(200, { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(types, group) });
  return path.length === 3 && version !== undefined
    ? json(200, resourceList(types, group, version))
    : undefined;
}

const coreVersions: JsonObject = { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };

/** The groups besides the core one. */
function groupsOf(types: readonly ResourceType[]): string[] {
  return [...new Set(types.map((type) => type.group))].filter((group) => group !== '');
}

/** Stable versions first, then beta, then alpha, and of each the highest first. */
function versionsOf(types: readonly ResourceType[], group: string): string[] {
  const versions = new Set(types.filter((type) => type.group === group).map((type) => type.version));
  return [...versions].sort((a, b) => compareRanks(rankOf(b), rankOf(a)));
}

function rankOf(version: string): readonly [number, number, number] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!match) return [0, 0, 0];
  const [, major, stage, minor] = match;
  return [stage === undefined ? 3 : stage === 'beta' ? 2 : 1, Number(major), Number(minor ?? 0)];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  return a.map((rank, index) => rank - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function groupOf(types: readonly ResourceType[], group: string): JsonObject {
  const versions = versionsOf(types, group).map((version) => ({
    groupVersion: `${group}/${version}`,
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function groupList(types: readonly ResourceType[]): JsonObject {
  const groups = groupsOf(types).map((group) => groupOf(types, group));
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

function resourceList(types: readonly ResourceType[], group: string, version: string): JsonObject {
  const resources = types
    .filter((type) => type.group === group && type.version === version)
    .flatMap((type): Json[] => [
      {
        name: type.plural,
        singularName: type.singular,
        namespaced: type.namespaced,
        kind: type.kind,
        verbs: verbsOf(type),
        ...names(type),
      },
      ...partsOf(type).map(({ name, kind, verbs }) => ({
        name: `${type.plural}/${name}`,
        singularName: '',
        namespaced: type.namespaced,
        kind,
        verbs: [...verbs],
      })),
    ]);
  const groupVersion = group ? `${group}/${version}` : version;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

/** The subresources, each with what is sent to it. */
function partsOf(type: ResourceType): { name: string; kind: string; verbs: readonly string[] }[] {
  return [
    ...type.subresources.map(({ name, kind, verb }) => ({ name, kind, verbs: [verb] })),
    ...(type.hasStatus ? [{ name: 'status', kind: type.kind, verbs: statusVerbs }] : []),
  ];
}

function names({ shortNames, categories }: ResourceType): JsonObject {
  return {
    ...(shortNames.length > 0 ? { shortNames: [...shortNames] } : {}),
    ...(categories.length > 0 ? { categories: [...categories] } : {}),
  };
}

function aggregated(types: readonly ResourceType[], root: 'api' | 'apis'): JsonObject {
  const groups = root === 'api' ? [''] : groupsOf(types);
  const items = groups.map((group) => ({
    metadata: { ...(group ? { name: group } : {}), creationTimestamp: null },
    versions: versionsOf(types, group).map((version) => ({
      version,
      freshness: 'Current',
      resources: types
        .filter((type) => type.group === group && type.version === version)
        .map((type) => aggregatedResource(type)),
    })),
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function aggregatedResource(type: ResourceType): JsonObject {
  const responseKind = { group: type.group, version: type.version, kind: type.kind };
  const parts = partsOf(type).map(({ name, kind, verbs }) => ({
    subresource: name,
    responseKind: { ...responseKind, kind },
    verbs: [...verbs],
  }));
  return {
    resource: type.plural,
    responseKind,
    scope: type.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: type.singular,
    verbs: verbsOf(type),
    ...names(type),
    ...(parts.length > 0 ? { subresources: parts } : {}),
  };
}
