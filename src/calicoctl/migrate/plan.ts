// What a migration has to do: every stored object of the old group beside what the new group has of it.
import { isDeepStrictEqual } from 'node:util';
import { type KubernetesClient, NotFoundError } from '../../datastore/index.ts';
import { faultText, keyOf, type Resource, validate, withDefaults } from '../../resources/index.ts';
import { fromLegacy } from './convert.ts';
import { isAboutAddresses, type LegacyKind, type LegacyObject, legacyKinds } from './legacy-kinds.ts';

export type PlannedAction =
  /** Missing in the new group. */
  | 'create'
  /** Both groups say the same. */
  | 'unchanged'
  /** The new group says something else, which stays unless it is to be overwritten. */
  | 'differs'
  /** Cannot be an object of the new group as it stands. */
  | 'invalid';

export interface PlannedObject {
  readonly kind: LegacyKind;
  /** "namespace/name" or "name", in the new group. */
  readonly key: string;
  readonly action: PlannedAction;
  /** Why, for what is invalid. */
  readonly why?: string;
  /** Absent for what is invalid. */
  readonly object?: Resource;
  /** What the new group has. */
  readonly present?: Resource;
}

/** Objects of all kinds, or of those about addresses alone or the others alone. */
export async function planMigration(
  client: KubernetesClient,
  which: (kind: LegacyKind) => boolean = () => true,
): Promise<PlannedObject[]> {
  const planned: PlannedObject[] = [];
  for (const kind of legacyKinds.filter(which)) {
    const stored = await listIfKnown(client, kind);
    if (stored.length === 0) continue;
    const present = new Map((await client.list(kind.to)).map((object) => [keyOf(object), object]));
    for (const object of stored) planned.push(planOne(kind, object, present));
  }
  return planned;
}

export const aboutAddresses = isAboutAddresses;
export const notAboutAddresses = (kind: LegacyKind): boolean => !isAboutAddresses(kind);

function planOne(
  kind: LegacyKind,
  stored: LegacyObject,
  present: ReadonlyMap<string, Resource>,
): PlannedObject {
  try {
    const object = withDefaults(kind.to, fromLegacy(kind, stored));
    const key = keyOf(object);
    const faults = validate(kind.to, object);
    if (faults.length > 0) {
      const why = faults.map(faultText).join('; ');
      return { kind, key, action: 'invalid', why };
    }
    const other = present.get(key);
    if (!other) return { kind, key, action: 'create', object };
    const action = isDeepStrictEqual(comparable(other), comparable(object)) ? 'unchanged' : 'differs';
    return { kind, key, action, object, present: other };
  } catch (error) {
    return {
      kind,
      key: keyOf(stored),
      action: 'invalid',
      why: error instanceof Error ? error.message : String(error),
    };
  }
}

function comparable(object: Resource): unknown {
  const { labels = {}, annotations = {} } = object.metadata;
  return { labels, annotations, spec: Reflect.get(object, 'spec') };
}

/** An API server that has never heard of the old group has no objects of it. */
async function listIfKnown(client: KubernetesClient, { from }: LegacyKind): Promise<LegacyObject[]> {
  try {
    return await client.list(from);
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}
