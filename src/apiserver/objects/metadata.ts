// ObjectMeta: its schema, its rules, and names made from generateName.
import { randomInt } from 'node:crypto';
import type { KubeObject } from '../json.ts';
import type { ResourceType } from '../kinds/resource-type.ts';
import {
  anything,
  boolean,
  integer,
  listByKey,
  listOf,
  setOf,
  strictObject,
  string,
  stringMap,
} from '../schema/schema.ts';
import { invalidValue, requiredValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';
import { labelMapFaults } from './labels.ts';
import { dnsLabelFaults, keyFaults, serviceNameFaults, subdomainFaults } from './names.ts';

export const metadataSchema = strictObject({
  name: string,
  generateName: string,
  namespace: string,
  uid: string,
  selfLink: string,
  resourceVersion: string,
  generation: integer,
  creationTimestamp: { type: 'string', nullable: true },
  deletionTimestamp: { type: 'string', nullable: true },
  deletionGracePeriodSeconds: { type: 'integer', nullable: true },
  labels: { ...stringMap, nullable: true },
  annotations: { ...stringMap, nullable: true },
  finalizers: { ...setOf(string), nullable: true },
  ownerReferences: listByKey(
    ['uid'],
    strictObject(
      {
        apiVersion: string,
        kind: string,
        name: string,
        uid: string,
        controller: boolean,
        blockOwnerDeletion: boolean,
      },
      ['apiVersion', 'kind', 'name', 'uid'],
    ),
  ),
  managedFields: listOf(anything),
});

/** Letters and digits that spell nothing and are not mistaken for each other. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A name from a prefix: five random characters after it, within 63. */
export function generateName(prefix: string): string {
  const suffix = Array.from({ length: 5 }, () => suffixAlphabet[randomInt(suffixAlphabet.length)]).join('');
  return prefix.slice(0, 58) + suffix;
}

export function metadataFaults(object: KubeObject, type: ResourceType): FieldFault[] {
  const { name, generateName = '', labels, annotations, finalizers } = object.metadata;
  const faults = [
    ...(generateName === '' ? [] : prefixFaults(generateName, type.nameRule)),
    ...nameFaults(name, type.nameRule),
    ...labelMapFaults(labels, 'metadata.labels'),
  ];
  let annotationBytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    const why = keyFaults(key.toLowerCase());
    faults.push(...why.map((one) => invalidValue('metadata.annotations', key, one)));
    annotationBytes += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (annotationBytes > 256 * 1024) {
    const message = 'Too long: must have at most 262144 bytes';
    faults.push({ field: 'metadata.annotations', reason: 'FieldValueInvalid', message });
  }
  for (const [index, finalizer] of (finalizers ?? []).entries()) {
    const why = keyFaults(finalizer);
    faults.push(...why.map((one) => invalidValue('metadata.finalizers', finalizer, one)));
    if (why.length === 0 && type.isBuiltIn && isUnqualified(finalizer)) {
      const field = `metadata.finalizers[${index}]`;
      faults.push(invalidValue(field, finalizer, unqualified));
    }
  }
  return faults;
}

export const unqualified = 'name is neither a standard finalizer name nor is it fully qualified';

/** Whether a finalizer names nobody who would take it away, nor is one of the server's own. */
export function isUnqualified(finalizer: string): boolean {
  return !finalizer.includes('/') && !['foregroundDeletion', 'kubernetes', 'orphan'].includes(finalizer);
}

/** What a write brings that is sound and yet better done otherwise; of built-in kinds these are faults. */
export function metadataWarnings(
  object: KubeObject,
  old: KubeObject | undefined,
  type: ResourceType,
): string[] {
  if (type.isBuiltIn) return [];
  const before = old?.metadata.finalizers ?? [];
  const finalizers = (object.metadata.finalizers ?? []).filter((one) => !before.includes(one));
  const why =
    'prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers';
  return finalizers
    .filter(isUnqualified)
    .map((finalizer) => `metadata.finalizers: ${JSON.stringify(finalizer)}: ${why}`);
}

/** A name follows the prefix, so it may end with "-". */
function prefixFaults(prefix: string, rule: ResourceType['nameRule']): FieldFault[] {
  const field = 'metadata.generateName';
  return reasonsAgainst(prefix.replace(/-$/, 'a'), rule).map((why) => invalidValue(field, prefix, why));
}

function nameFaults(name: string, rule: ResourceType['nameRule']): FieldFault[] {
  const field = 'metadata.name';
  if (name === '') return [requiredValue(field, 'name or generateName is required')];
  return reasonsAgainst(name, rule).map((why) => invalidValue(field, name, why));
}

function reasonsAgainst(name: string, rule: ResourceType['nameRule']): string[] {
  switch (rule) {
    case 'path':
      return name === '.' || name === '..' || /[/%]/.test(name)
        ? ["may not be '.' or '..' nor contain '/' or '%'"]
        : [];
    case 'label':
      return dnsLabelFaults(name);
    case 'service':
      return serviceNameFaults(name);
    case 'subdomain':
      return subdomainFaults(name);
  }
}
