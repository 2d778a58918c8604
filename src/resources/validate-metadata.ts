// Judges an object's metadata as an API server does, so that a file's faults show before it is sent anywhere.
// Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and .../labels/
import { isObject } from './json-schema.ts';
import { nearestName } from './nearest-name.ts';
import type { ResourceKind } from './resource.ts';

interface MetadataFault {
  /** Below `metadata`; empty for all of it. */
  readonly step: readonly string[];
  readonly value: unknown;
  readonly message: string;
}

const fields = [
  'name',
  'generateName',
  'namespace',
  'labels',
  'annotations',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'finalizers',
  'ownerReferences',
  'managedFields',
  'selfLink',
];
const labelPattern = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = new RegExp(`^${labelPattern}(\\.${labelPattern})*$`);
const qualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** Every fault; none in metadata that an API server would take. */
export function judgeMetadata(kind: ResourceKind, metadata: unknown): MetadataFault[] {
  if (!isObject(metadata)) return [{ step: [], value: metadata, message: 'must be an object' }];
  const faults: MetadataFault[] = [];
  const fault = (step: string[], value: unknown, message: string) => faults.push({ step, value, message });
  for (const [name, value] of Object.entries(metadata)) {
    if (fields.includes(name)) continue;
    const near = nearestName(name, fields);
    const hint = near === undefined ? '' : `; did you mean "${near}"?`;
    fault([name], value, `is not a known field${hint}`);
  }
  const { name, generateName, namespace, labels, annotations } = metadata;
  if (name === undefined && generateName === undefined) fault(['name'], name, 'is required');
  else if (name !== undefined && !isObjectName(name)) {
    fault(['name'], name, 'must be lower-case letters, digits, "-" and ".", at most 253 of them');
  }
  if (namespace !== undefined && !kind.namespaced) {
    fault(['namespace'], namespace, `must be left out: a ${kind.kind} belongs to no namespace`);
  } else if (namespace !== undefined && !isObjectName(namespace)) {
    fault(['namespace'], namespace, 'must be the name of a namespace');
  }
  for (const [field, map] of [
    ['labels', labels],
    ['annotations', annotations],
  ] as const) {
    if (map === undefined || map === null) continue;
    if (!isObject(map)) fault([field], map, 'must be a map of strings');
    else for (const [key, value] of Object.entries(map)) judgeEntry(field, key, value, fault);
  }
  return faults;
}

function judgeEntry(
  field: 'labels' | 'annotations',
  key: string,
  value: unknown,
  fault: (step: string[], value: unknown, message: string) => void,
): void {
  if (!isQualifiedKey(key))
    fault([field, key], value, 'has a malformed key; keys look like "example.com/name"');
  if (typeof value !== 'string') fault([field, key], value, 'must be a string; put it in quotes');
  else if (field === 'labels' && value !== '' && !(value.length <= 63 && qualifiedName.test(value))) {
    fault([field, key], value, 'must be letters, digits, "-", "_" and ".", at most 63 of them');
  }
}

/** A DNS subdomain, which nearly every object of Kubernetes must be named by. */
export function isObjectName(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 253 && subdomain.test(value);
}

/** "name" or "prefix/name", the prefix a DNS name. */
function isQualifiedKey(key: string): boolean {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  return name.length <= 63 && qualifiedName.test(name) && (slash < 0 || isObjectName(key.slice(0, slash)));
}
