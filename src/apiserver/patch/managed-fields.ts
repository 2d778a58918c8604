// Who owns which field of an object (metadata.managedFields), from its creation on. Source: "Server-Side Apply" in Kubernetes'
// reference documentation.
import { isObject, type Json, type JsonObject, type KubeObject, stringAt } from '../json.ts';
import { apiVersionOf, type ResourceType } from '../kinds/resource-type.ts';
import { timestamp } from '../objects/timestamp.ts';
import { difference, fieldChanges, union } from './field-changes.ts';
import { decodeFields, encodeFields, type FieldSet } from './field-set.ts';

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

/** Makes who creates an object the owner of all that it says, in place; whatever the client says of owners is forgotten. */
export function trackCreation(type: ResourceType, object: KubeObject, manager: string): void {
  const { changed } = fieldChanges(type, undefined, object, '');
  if (changed) object.metadata.managedFields = [entryOf(type, manager, '', changed)];
  else delete object.metadata.managedFields;
}

/**
 * Gives the fields that a plain write changed to its manager, in place. What the client says of owners (kubectl does, when it
 * moves an object to server-side apply) is taken first. An object that nobody manages stays so until it is applied.
 */
export function trackUpdate(
  type: ResourceType,
  old: KubeObject,
  next: KubeObject,
  manager: string,
  subresource = '',
): void {
  const tracked = old.metadata.managedFields;
  const given = next.metadata.managedFields;
  if (!tracked || !given) return;
  const { changed, removed } = fieldChanges(type, old, next, subresource);
  const touched = union(changed, removed);
  let writer: JsonObject | undefined;
  const entries = (given.every(isEntry) ? given : tracked).flatMap((entry): JsonObject[] => {
    const before = isObject(entry.fieldsV1) ? entry.fieldsV1 : undefined;
    const isWriter = isUpdateOf(type, entry, manager, subresource);
    const rest = isWriter ? union(difference(before, removed), changed) : difference(before, touched);
    if (!rest) return [];
    if (!isWriter) return [rest === before ? entry : { ...entry, fieldsV1: rest }];
    writer = rest === before ? entry : { ...entry, time: timestamp(), fieldsV1: rest };
    return [writer];
  });
  if (!writer && changed) entries.push(entryOf(type, manager, subresource, changed));
  if (entries.length > 0) next.metadata.managedFields = entries;
  else delete next.metadata.managedFields;
}

function isEntry(entry: Json): boolean {
  return isObject(entry) && isObject(entry.fieldsV1) && stringAt(entry, 'manager') !== '';
}

function isUpdateOf(type: ResourceType, entry: JsonObject, manager: string, subresource: string): boolean {
  return (
    entry.manager === manager &&
    entry.operation === 'Update' &&
    entry.apiVersion === apiVersionOf(type) &&
    stringAt(entry, 'subresource') === subresource
  );
}

function entryOf(type: ResourceType, manager: string, subresource: string, fieldsV1: JsonObject): JsonObject {
  return {
    manager,
    operation: 'Update',
    apiVersion: apiVersionOf(type),
    time: timestamp(),
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource ? { subresource } : {}),
  };
}
