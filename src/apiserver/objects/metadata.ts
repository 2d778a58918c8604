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
import { keyFault, labelMapFaults } from './labels.ts';

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
  clusterName: string,
});

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/** Letters and digits that spell nothing and are not mistaken for each other. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A name from a prefix: five random characters after it, within 63. */
export function generateName(prefix: string): string {
  const suffix = Array.from({ length: 5 }, () => suffixAlphabet[randomInt(suffixAlphabet.length)]).join('');
  return prefix.slice(0, 58) + suffix;
}

export function metadataFaults(object: KubeObject, type: ResourceType): FieldFault[] {
  const { name, labels, annotations, finalizers } = object.metadata;
  const faults = [...nameFaults(name, type.nameRule), ...labelMapFaults(labels, 'metadata.labels')];
  let annotationBytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    const faulty = keyFault(key.toLowerCase());
    if (faulty) faults.push(invalidValue('metadata.annotations', key, faulty));
    annotationBytes += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (annotationBytes > 256 * 1024) {
    const message = 'Too long: must have at most 262144 bytes';
    faults.push({ field: 'metadata.annotations', reason: 'FieldValueInvalid', message });
  }
  for (const finalizer of finalizers ?? []) {
    const faulty = keyFault(finalizer);
    if (faulty) faults.push(invalidValue('metadata.finalizers', finalizer, faulty));
  }
  return faults;
}

function nameFaults(name: string, rule: ResourceType['nameRule']): FieldFault[] {
  const field = 'metadata.name';
  if (name === '') return [requiredValue(field, 'name or generateName is required')];
  if (rule === 'path') {
    const isSound = name !== '.' && name !== '..' && !/[/%]/.test(name);
    return isSound ? [] : [invalidValue(field, name, "may not be '.' or '..' nor contain '/' or '%'")];
  }
  const [pattern, limit, words] = rule === 'label' ? [label, 63, labelRule] : [subdomain, 253, subdomainRule];
  if (name.length > limit) return [invalidValue(field, name, `must be no more than ${limit} characters`)];
  return pattern.test(name) ? [] : [invalidValue(field, name, words)];
}
