// Who owns which field of an object (metadata.managedFields). Ownership is kept from an object's first server-side apply on:
// before that nothing can conflict, and plain writes need not pay for it.
import { isEqual, isObject, type Json, type JsonObject, type KubeObject, stringAt } from '../json.ts';
import { apiVersionOf, type ResourceType } from '../kinds/resource-type.ts';
import { timestamp } from '../objects/timestamp.ts';
import { decodeFields, encodeFields, type FieldSet, fieldsOf, valueOfField } from './field-set.ts';

export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource: string;
  readonly apiVersion: string;
  readonly time: string;
  readonly fields: FieldSet;
}

export function readManagers(object: KubeObject): Manager[] {
  return (object.metadata.managedFields ?? []).filter(isObject).map((entry) => ({
    manager: stringAt(entry, 'manager'),
    operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
    subresource: stringAt(entry, 'subresource'),
    apiVersion: stringAt(entry, 'apiVersion'),
    time: stringAt(entry, 'time'),
    fields: decodeFields(entry.fieldsV1),
  }));
}

/** Writes the managers into the object, in place, leaving out those that own nothing any more. */
export function writeManagers(object: KubeObject, managers: readonly Manager[]): void {
  const entries: JsonObject[] = managers
    .filter((one) => one.fields.size > 0)
    .map(({ fields, subresource, ...one }) => ({
      ...one,
      fieldsType: 'FieldsV1',
      fieldsV1: encodeFields(fields),
      ...(subresource ? { subresource } : {}),
    }));
  if (entries.length > 0) object.metadata.managedFields = entries;
  else delete object.metadata.managedFields;
}

export function isManager(one: Manager, name: string, operation: string, subresource: string): boolean {
  return one.manager === name && one.operation === operation && one.subresource === subresource;
}

/** Gives the fields that a plain write changed to its manager, in place. Nothing when the object was never applied. */
export function trackUpdate(
  type: ResourceType,
  old: KubeObject,
  next: KubeObject,
  manager: string,
  subresource = '',
): void {
  if (!old.metadata.managedFields || !isEqual(old.metadata.managedFields, next.metadata.managedFields))
    return;
  const before = fieldsOf(type.schema, old);
  const after = fieldsOf(type.schema, next);
  const changed: FieldSet = new Map();
  for (const [key, path] of after) {
    if (!before.has(key) || !sameValue(type, old, next, path)) changed.set(key, path);
  }
  const managers = readManagers(old).map((one) => {
    const isWriter = isManager(one, manager, 'Update', subresource);
    const fields = new Map(
      [...one.fields].filter(([key]) => after.has(key) && (isWriter || !changed.has(key))),
    );
    if (isWriter) for (const [key, path] of changed) fields.set(key, path);
    return { ...one, fields, ...(isWriter && changed.size > 0 ? { time: timestamp() } : {}) };
  });
  if (changed.size > 0 && !managers.some((one) => isManager(one, manager, 'Update', subresource))) {
    const apiVersion = apiVersionOf(type);
    managers.push({
      manager,
      operation: 'Update',
      subresource,
      apiVersion,
      time: timestamp(),
      fields: changed,
    });
  }
  writeManagers(next, managers);
}

function sameValue(type: ResourceType, a: Json, b: Json, path: readonly string[]): boolean {
  return isEqual(valueOfField(type.schema, a, path), valueOfField(type.schema, b, path));
}
