// `calicoctl get`: reads objects by kind and name, or those that files name, and prints them.
import { NotFoundError } from '../../datastore/index.ts';
import type { Resource } from '../../resources/index.ts';
import { findPrintedKind } from '../kinds/find-kind.ts';
import type { PrintedKind } from '../kinds/kinds.ts';
import type { FileOptions, GlobalOptions, NamespaceOptions } from '../options.ts';
import { parseFormat } from '../output/format.ts';
import { type Found, printObjects } from '../output/print-objects.ts';
import { CommandError, type Problem, problemsOf, reportProblems } from '../problem.ts';
import { listObjects, namespaceFor, readObject } from '../read-objects.ts';
import { openSession, type Session } from '../session.ts';

export interface GetOptions extends GlobalOptions, NamespaceOptions, FileOptions {
  readonly output: string;
  /** Leaves out what belongs to this cluster, so that the objects can be made in another. */
  readonly export?: boolean;
}

/** Returns 1 when something that was asked for by name is missing; the rest is printed all the same. */
export async function get(
  kindName: string | undefined,
  names: readonly string[],
  options: GetOptions,
): Promise<number> {
  const format = parseFormat(options.output);
  if (kindName === undefined && !options.filename) {
    throw new CommandError('Say what to get: a kind, with names or without, or files with -f');
  }
  const kind = kindName === undefined ? undefined : findPrintedKind(kindName);
  await using session = await openSession(options);
  const problems: Problem[] = [];
  const found = kind
    ? [await findByName(session, kind, names, options, problems)]
    : await findByFile(session, options, problems);
  const shown = found
    .filter(({ objects }) => objects.length > 0 || problems.length === 0)
    .map((entry) => (options.export ? { ...entry, objects: entry.objects.map(exported) } : entry));
  if (shown.length > 0) {
    const isAcrossNamespaces = options.allNamespaces === true;
    process.stdout.write(await printObjects(shown, format, { isAcrossNamespaces }));
  }
  if (problems.length > 0) reportProblems(problems, format.type === 'json' ? 'json' : 'text');
  return problems.length > 0 ? 1 : 0;
}

async function findByName(
  session: Session,
  kind: PrintedKind,
  names: readonly string[],
  options: GetOptions,
  problems: Problem[],
): Promise<Found> {
  const namespace = namespaceFor(kind, session, options);
  if (names.length === 0) {
    return { kind, objects: await listObjects(session, kind, namespace), isSingle: false };
  }
  if (kind.namespaced && namespace === undefined) {
    const all = await listObjects(session, kind, undefined);
    const objects = all.filter(({ metadata }) => names.includes(metadata.name));
    for (const name of names.filter((name) => !objects.some(({ metadata }) => metadata.name === name))) {
      problems.push({ message: `Cannot read ${kind.kind} "${name}": it exists in no namespace` });
    }
    return { kind, objects, isSingle: false };
  }
  const keys = names.map((name) => ({ name, namespace }));
  return { kind, objects: await readAll(session, kind, keys, problems), isSingle: names.length === 1 };
}

/** The stored objects of the names that stand in the files. */
async function findByFile(session: Session, options: GetOptions, problems: Problem[]): Promise<Found[]> {
  const { loadObjects } = await import('../manifest/load.ts');
  const byKind = new Map<PrintedKind, { name: string; namespace: string | undefined }[]>();
  for (const entry of await loadObjects(options)) {
    if (entry.problems) problems.push(...entry.problems);
    else {
      const { name, namespace } = entry.object.metadata;
      const keys = byKind.get(entry.kind) ?? [];
      keys.push({ name, namespace: namespace ?? namespaceFor(entry.kind, session, options) });
      byKind.set(entry.kind, keys);
    }
  }
  return Promise.all(
    [...byKind].map(async ([kind, keys]) => ({
      kind,
      objects: await readAll(session, kind, keys, problems),
      isSingle: keys.length === 1,
    })),
  );
}

async function readAll(
  session: Session,
  kind: PrintedKind,
  keys: readonly { name: string; namespace: string | undefined }[],
  problems: Problem[],
): Promise<Resource[]> {
  const found = await Promise.all(
    keys.map(async ({ name, namespace }) => {
      try {
        return await readObject(session, kind, name, namespace);
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
        problems.push(...problemsOf(error));
        return undefined;
      }
    }),
  );
  return found.filter((object) => object !== undefined);
}

function exported(object: Resource): Resource {
  const { uid, resourceVersion, generation, creationTimestamp, ...metadata } = object.metadata;
  return { ...object, metadata };
}
