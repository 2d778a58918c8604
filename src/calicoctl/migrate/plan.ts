// What a migration has to do: every stored object of the old group beside what the new group has of it.
import { isDeepStrictEqual } from 'node:util';
import { ifThere, type KubernetesClient } from '../../datastore/index.ts';
import {
  completedPolicy,
  faultText,
  keyOf,
  type Resource,
  validate,
  withDefaults,
} from '../../resources/index.ts';
import { fromLegacy } from './convert.ts';
import { isAboutAddresses, type LegacyKind, type LegacyObject, legacyKinds } from './legacy-kinds.ts';
import { unprogrammed } from './unprogrammed.ts';

export type PlannedAction =
  /** Missing in the new group. */
  | 'create'
  /** Both groups say the same. */
  | 'unchanged'
  /** The new group says something else, which stays unless it is to be overwritten. */
  | 'differs'
  /** Cannot be an object of the new group as it stands. */
  | 'invalid'
  /** About addresses, in the new group alone: left by a copying that was given up, and wrong by now. */
  | 'left-over';

export interface PlannedObject {
  readonly kind: LegacyKind;
  /** "namespace/name" or "name", in the new group. */
  readonly key: string;
  readonly action: PlannedAction;
  /** Why, for what is invalid. */
  readonly why?: string;
  /** Absent for what is invalid or left over. */
  readonly object?: Resource;
  /** What the new group has. */
  readonly present?: Resource;
}

/** Objects of all kinds, or of those about addresses alone or the others alone. To be asked only while the old group is in charge. */
export async function planMigration(
  client: KubernetesClient,
  which: (kind: LegacyKind) => boolean = () => true,
): Promise<PlannedObject[]> {
  const planned: PlannedObject[] = [];
  for (const kind of legacyKinds.filter(which)) {
    // The API server may never have heard of the old group's kind.
    const stored = await ifThere(client.list(kind.from));
    if (!stored || (stored.length === 0 && !isAboutAddresses(kind))) continue;
    // The new group's may not be declared yet.
    const there = (await ifThere(client.list(kind.to))) ?? [];
    const present = new Map(there.map((object) => [keyOf(object), object]));
    const ofKind = withoutNamesakes(stored.map((object) => planOne(kind, object, present)));
    planned.push(...ofKind);
    // Settings may be the new cluster's own; what counts addresses is nobody's but the old one's.
    if (!isAboutAddresses(kind) || kind.to.kind === 'IPAMConfiguration') continue;
    for (const { key } of ofKind) present.delete(key);
    for (const [key, object] of present) planned.push({ kind, key, action: 'left-over', present: object });
  }
  return planned;
}

/** Two that become one object, as "web" and "default.web" do: nobody can say which of them is meant. */
function withoutNamesakes(planned: readonly PlannedObject[]): PlannedObject[] {
  const count = new Map<string, number>();
  for (const { key } of planned) count.set(key, (count.get(key) ?? 0) + 1);
  return planned.map((one) =>
    (count.get(one.key) ?? 0) > 1 && one.action !== 'invalid'
      ? { kind: one.kind, key: one.key, action: 'invalid', why: 'two stored objects become this one' }
      : one,
  );
}

export const aboutAddresses = isAboutAddresses;
export const notAboutAddresses = (kind: LegacyKind): boolean => !isAboutAddresses(kind);

function planOne(
  kind: LegacyKind,
  stored: LegacyObject,
  present: ReadonlyMap<string, Resource>,
): PlannedObject {
  try {
    const object = completedPolicy(withDefaults(kind.to, fromLegacy(kind, stored)));
    const key = keyOf(object);
    const why = [...validate(kind.to, object).map(faultText), ...unprogrammed(kind, stored.spec)];
    if (why.length > 0) return { kind, key, action: 'invalid', why: why.join('; ') };
    const other = present.get(key);
    if (!other) return { kind, key, action: 'create', object };
    const action = isDeepStrictEqual(comparable(completedPolicy(other)), comparable(object))
      ? 'unchanged'
      : 'differs';
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
