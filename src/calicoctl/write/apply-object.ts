// Brings one object into the state that a file describes, and says what that changed.
import { isDeepStrictEqual } from 'node:util';
import { AlreadyExistsError, type KubernetesClient } from '../../datastore/index.ts';
import { completedPolicy, type Resource, withDefaults } from '../../resources/index.ts';
import { toYaml } from '../output/yaml.ts';
import { unifiedDiff } from './diff.ts';
import { createStored, findStored, overStored, replaceStored } from './objects-store.ts';
import type { Outcome } from './outcome.ts';
import type { ValidObject } from './write-objects.ts';

export interface ApplyOptions {
  readonly dryRun?: 'server' | 'client';
  readonly diff?: boolean;
}

type Applied = Pick<Outcome, 'result' | 'dryRun' | 'diff'>;

/** @throws ConflictError when the file names a revision that is no longer stored; what the API server says of it */
export async function applyObject(
  client: KubernetesClient,
  entry: ValidObject,
  options: ApplyOptions,
): Promise<Applied> {
  const stored = await findStored(client, entry.kind, entry.object.metadata);
  if (!stored) {
    try {
      return describe(undefined, await create(client, entry, options), options);
    } catch (error) {
      // Somebody else made it in between: it is to be changed, not made.
      if (!(error instanceof AlreadyExistsError)) throw error;
      return applyObject(client, entry, options);
    }
  }
  return describe(stored, await replace(client, entry, stored, options), options);
}

function create(client: KubernetesClient, entry: ValidObject, { dryRun }: ApplyOptions): Promise<Resource> {
  if (dryRun === 'client') return Promise.resolve(asWritten(entry, entry.object));
  return createStored(client, entry.kind, entry.object, { dryRun: dryRun === 'server' });
}

async function replace(
  client: KubernetesClient,
  entry: ValidObject,
  stored: Resource,
  { dryRun }: ApplyOptions,
): Promise<Resource> {
  if (dryRun !== 'client') {
    return replaceStored(client, entry.kind, entry.object, stored, { dryRun: dryRun === 'server' });
  }
  const next = asWritten(entry, overStored(entry.object, stored));
  const status: unknown = Reflect.get(stored, 'status');
  return status === undefined ? next : Object.assign(next, { status });
}

function asWritten({ schemaKind }: ValidObject, object: Resource): Resource {
  return completedPolicy(withDefaults(schemaKind, object));
}

function describe(stored: Resource | undefined, next: Resource, { dryRun, diff }: ApplyOptions): Applied {
  const [before, after] = [stored && comparable(stored), comparable(next)];
  const isSame = isDeepStrictEqual(before, after);
  const { name, namespace } = next.metadata;
  const title = `${next.kind}/${namespace ? `${namespace}/` : ''}${name}`;
  return {
    result: stored ? (isSame ? 'unchanged' : 'configured') : 'created',
    ...(dryRun && { dryRun }),
    ...(diff && { diff: isSame ? '' : unifiedDiff(before ? toYaml(before) : '', toYaml(after), title) }),
  };
}

/** Without what the server writes on its own with every change; metadata in one order, whoever wrote them. */
function comparable(object: Resource): unknown {
  const { resourceVersion, uid, generation, creationTimestamp, ...metadata } = object.metadata;
  const { name, namespace, labels, annotations, ...others } = metadata;
  const ordered = { name, namespace, labels: sorted(labels), annotations: sorted(annotations), ...others };
  // As JSON, because a member that is undefined is none.
  return JSON.parse(JSON.stringify({ ...object, metadata: ordered }));
}

function sorted<T>(record: Readonly<Record<string, T>> | undefined): Record<string, T> | undefined {
  return record && Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
