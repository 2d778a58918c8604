// What an API server makes of an object that is written: the fields that it owns, status apart from the rest, generations.
// Pure: every function returns a new object.
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  apiVersionOf,
  type Resource,
  type ResourceKind,
  validate,
  withDefaults,
} from '../../resources/index.ts';
import { InvalidResourceError } from '../errors.ts';

type Loose = Resource & { status?: unknown };

/** The first state of an object. Its status, where that is apart, starts empty. @throws InvalidResourceError */
export function created<T extends Resource>(kind: ResourceKind<T>, object: T, revision: number): T {
  const { status, ...rest } = structuredClone(object) as Loose;
  const fresh = {
    ...rest,
    ...(status !== undefined && !kind.hasStatus && { status }),
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: {
      ...rest.metadata,
      uid: randomUUID(),
      resourceVersion: String(revision),
      generation: 1,
      creationTimestamp: now(),
    },
  } as unknown as T;
  return frozen(checked(kind, fresh));
}

/**
 * The state after a write of the object or of its status, or `stored` itself when nothing differs: such a write leaves
 * no trace, not even a revision. @throws InvalidResourceError
 */
export function updated<T extends Resource>(
  kind: ResourceKind<T>,
  stored: T,
  object: T,
  part: 'object' | 'status',
  revision: number,
): T {
  const written = structuredClone(object) as Loose;
  const old = stored as Loose;
  const { status: _status, ...body } = part === 'status' ? old : written;
  const status = kind.hasStatus && part === 'object' ? old.status : written.status;
  const { uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } = old.metadata;
  const owned = { uid, resourceVersion, generation, creationTimestamp, deletionTimestamp };
  const next = checked(
    kind,
    withoutUndefined({
      ...body,
      status,
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: withoutUndefined({
        ...body.metadata,
        // As pods and nodes have it in Kubernetes: what writes their status may annotate them.
        ...(part === 'status' && kind.group === '' && pick(written.metadata, ['labels', 'annotations'])),
        ...owned,
      }),
    }) as unknown as T,
    stored,
  );
  if (isDeepStrictEqual(next, stored)) return stored;
  next.metadata.resourceVersion = String(revision);
  if (!isDeepStrictEqual(desired(next), desired(stored))) next.metadata.generation = (generation ?? 0) + 1;
  return frozen(next);
}

/** The state of an object whose deletion waits for finalizers. */
export function markedForDeletion<T extends Resource>(stored: T, revision: number): T {
  const metadata = { ...stored.metadata, deletionTimestamp: now(), resourceVersion: String(revision) };
  return frozen({ ...stored, metadata });
}

function checked<T extends Resource>(kind: ResourceKind<T>, object: T, old?: T): T {
  const complete = withDefaults(kind, object);
  const faults = validate(kind, complete, old);
  if (faults.length === 0) return complete;
  throw new InvalidResourceError(
    `Cannot store ${kind.kind} "${object.metadata.name}": ` +
      faults.map(({ path, message }) => `${path} ${message}`).join('; '),
  );
}

/** What a generation counts changes of. */
function desired(object: Resource): object {
  const { metadata: _metadata, status: _status, ...rest } = object as Loose;
  return rest;
}

function withoutUndefined<O extends object>(object: O): O {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as O;
}

/** RFC 3339 in whole seconds, as API servers write times. */
function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Objects are handed out without copies; a reader who writes to one is to find out at once. */
function frozen<T extends object>(value: T): T {
  for (const member of Object.values(value))
    if (typeof member === 'object' && member !== null) frozen(member);
  return Object.freeze(value);
}

function pick(metadata: Loose['metadata'], fields: readonly string[]): object {
  return Object.fromEntries(
    Object.entries(metadata).filter(([field, value]) => fields.includes(field) && value !== undefined),
  );
}
