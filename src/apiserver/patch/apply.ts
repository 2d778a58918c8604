// Server-side apply: the client sends what it wants to own, the server merges it, takes away what it no longer wants,
// and refuses what another manager holds otherwise.
import { isEqual, isObject, type JsonObject, type KubeObject } from '../json.ts';
import { apiVersionOf, type ResourceType } from '../kinds/resource-type.ts';
import { timestamp } from '../objects/timestamp.ts';
import { type FieldFault, StatusError } from '../status-error.ts';
import { type FieldSet, fieldsOf, mergeFields, removeField, valueOfField } from './field-set.ts';
import { isManager, type Manager, readManagers, writeManagers } from './managed-fields.ts';

export interface ApplyRequest {
  readonly type: ResourceType;
  /** The stored state; undefined when the object is to be made. */
  readonly live: KubeObject | undefined;
  /** What the client wants, as it came. */
  readonly config: KubeObject;
  readonly manager: string;
  /** Takes fields from other managers instead of refusing. */
  readonly force: boolean;
  readonly subresource?: string;
}

/** The object to be written, with its managers. @throws StatusError 409 naming every field that another manager holds */
export function applyConfiguration(request: ApplyRequest): KubeObject {
  const { type, live, config, manager, force, subresource = '' } = request;
  const wanted = fieldsOf(type.schema, config);
  const managers = live ? managersOf(type, live) : [];
  const mine = managers.find((one) => isManager(one, manager, 'Apply', subresource));
  const others = managers.filter((one) => one !== mine);
  const merged = merge(type, live, config);
  const changed = live ? changedFields(type, live, config, wanted) : new Map();
  const conflicts = others.flatMap((one) =>
    [...changed].filter(([key]) => one.fields.has(key)).map(([key, path]) => ({ owner: one, key, path })),
  );
  if (conflicts.length > 0 && !force) {
    const yielding = live && manager === 'kubectl' ? lastApplied(type, live) : new Map();
    const refused = conflicts.filter(({ key }) => !yielding.has(key));
    if (refused.length > 0) throw conflictsError(refused);
  }
  const held = [wanted, ...others.map((one) => one.fields)];
  const unheld = outermostFirst(mine?.fields).filter(([key]) => !held.some((fields) => holds(fields, key)));
  // And back again: what held something then may be empty now.
  for (const [, path] of [...unheld, ...unheld.toReversed()]) removeField(type.schema, merged, path);
  const remaining = others.map((one) => ({
    ...one,
    fields: new Map([...one.fields].filter(([key]) => !changed.has(key))),
  }));
  const isSame = mine !== undefined && isEqual([...mine.fields.keys()].sort(), [...wanted.keys()].sort());
  const time = isSame ? mine.time : timestamp();
  const apiVersion = apiVersionOf(type);
  writeManagers(merged, [
    ...remaining,
    { manager, operation: 'Apply', subresource, apiVersion, time, fields: wanted },
  ]);
  return merged;
}

/** An object that was never applied before gets one owner of all it has, as Kubernetes does it. */
function managersOf(type: ResourceType, live: KubeObject): Manager[] {
  if (live.metadata.managedFields) return readManagers(live);
  const fields = fieldsOf(type.schema, live);
  const time = live.metadata.creationTimestamp ?? timestamp();
  const apiVersion = apiVersionOf(type);
  return [{ manager: 'before-first-apply', operation: 'Update', subresource: '', apiVersion, time, fields }];
}

/**
 * The fields that `kubectl apply` wrote and that nobody changed since. Kubernetes hands them over to `kubectl apply --server-side`
 * without a conflict ("Upgrading from client-side apply to server-side apply" in its documentation).
 */
function lastApplied(type: ResourceType, live: KubeObject): FieldSet {
  const text = live.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
  let config: unknown;
  try {
    config = JSON.parse(text ?? 'null');
  } catch {
    // Whatever somebody wrote there, it hands over nothing.
  }
  if (!isObject(config)) return new Map();
  const changed = changedFields(type, live, config, fieldsOf(type.schema, config));
  return new Map([...fieldsOf(type.schema, config)].filter(([key]) => !changed.has(key)));
}

function merge(type: ResourceType, live: KubeObject | undefined, config: KubeObject): KubeObject {
  const { metadata, ...rest } = config;
  if (!live) return structuredClone(config);
  const base = structuredClone(live);
  const { managedFields: _, ...liveMetadata } = base.metadata;
  const merged = mergeFields(type.schema, base, rest) as KubeObject;
  const over = mergeFields(undefined, liveMetadata, metadata) as JsonObject;
  // Finalizers are a set; the untyped merge above would replace them.
  const finalizers = [...new Set([...(liveMetadata.finalizers ?? []), ...(metadata.finalizers ?? [])])];
  if (finalizers.length > 0) over.finalizers = finalizers;
  return structuredClone({ ...merged, metadata: over as KubeObject['metadata'] });
}

function changedFields(type: ResourceType, live: KubeObject, config: JsonObject, wanted: FieldSet): FieldSet {
  const differs = (path: readonly string[]) =>
    !isEqual(valueOfField(type.schema, live, path), valueOfField(type.schema, config, path));
  return new Map([...wanted].filter(([, path]) => differs(path)));
}

/** Whether a set holds a field itself or something below it. */
function holds(fields: FieldSet, key: string): boolean {
  if (fields.has(key)) return true;
  for (const other of fields.keys()) if (other.startsWith(`${key}\n`)) return true;
  return false;
}

/** An item goes as a whole, before the fields by which it is found. */
function outermostFirst(fields: FieldSet | undefined): [string, readonly string[]][] {
  return [...(fields ?? [])].sort(([, a], [, b]) => a.length - b.length);
}

function conflictsError(conflicts: readonly { owner: Manager; path: readonly string[] }[]): StatusError {
  const causes: FieldFault[] = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${shownManager(owner)}`,
    field: shownPath(path),
  }));
  const count = causes.length === 1 ? '1 conflict' : `${causes.length} conflicts`;
  const lines = causes.map((cause) => `${cause.message}: ${cause.field}`).join('\n');
  const message = `Apply failed with ${count}: ${lines}`;
  return new StatusError(409, 'Conflict', message, { causes: causes.map((cause) => ({ ...cause })) });
}

/** Who applied a field is told from others by his name alone. */
function shownManager({ manager, subresource, operation, apiVersion }: Manager): string {
  const part = subresource ? ` with subresource ${JSON.stringify(subresource)}` : '';
  const version = operation === 'Update' ? ` using ${apiVersion}` : '';
  return `${JSON.stringify(manager)}${part}${version}`;
}

/** ".spec.containers[name="web"].image". */
function shownPath(path: readonly string[]): string {
  return path
    .map((element) => {
      if (element.startsWith('f:')) return `.${element.slice(2)}`;
      if (element.startsWith('v:')) return `[=${element.slice(2)}]`;
      const keys = Object.entries(JSON.parse(element.slice(2)) as JsonObject);
      return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}
