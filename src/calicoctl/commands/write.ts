// `calicoctl create`, `apply`, `replace` and `delete`: each writes objects, one outcome for each.
import { AlreadyExistsError, NotFoundError } from '../../datastore/index.ts';
import { findPrintedKind } from '../kinds/find-kind.ts';
import { loadObjects } from '../manifest/load.ts';
import type { FileOptions, GlobalOptions, NamespaceOptions, OutputFormat } from '../options.ts';
import { CommandError, problemsOf } from '../problem.ts';
import { openSession, type Session } from '../session.ts';
import { type ApplyOptions, applyObject } from '../write/apply-object.ts';
import { createStored, deleteStored, findStored, replaceStored } from '../write/objects-store.ts';
import type { Failure, Outcome } from '../write/outcome.ts';
import { Report } from '../write/report.ts';
import { type ValidObject, type Write, writeObjects } from '../write/write-objects.ts';

interface WriteCommandOptions extends GlobalOptions, NamespaceOptions, FileOptions {
  readonly output: OutputFormat;
}

export async function create(
  options: WriteCommandOptions & { readonly skipExists?: boolean },
): Promise<number> {
  return writeFiles(options, (session) => async ({ kind, object }) => {
    try {
      await createStored(session.client, kind, object, {});
      return { result: 'created' };
    } catch (error) {
      if (!(error instanceof AlreadyExistsError) || !options.skipExists) throw error;
      return { result: 'skipped', note: 'it exists already' };
    }
  });
}

export async function apply(options: WriteCommandOptions & ApplyOptions): Promise<number> {
  return writeFiles(options, (session) => (entry) => applyObject(session.client, entry, options));
}

export async function replace(options: WriteCommandOptions): Promise<number> {
  return writeFiles(options, (session) => async ({ kind, object }) => {
    const stored = await findStored(session.client, kind, object.metadata);
    if (!stored)
      throw new CommandError(`Cannot replace ${kind.kind} "${object.metadata.name}": it does not exist`);
    // Unlike apply, what the file does not say goes, labels and annotations as well.
    const { labels, annotations, ...kept } = stored.metadata;
    await replaceStored(session.client, kind, object, { ...stored, metadata: kept }, {});
    return { result: 'replaced' };
  });
}

interface DeleteOptions extends WriteCommandOptions {
  readonly skipNotExists?: boolean;
}

/** Deletes what files name, or objects of one kind by their names. */
export async function remove(
  kindName: string | undefined,
  names: readonly string[],
  options: DeleteOptions,
): Promise<number> {
  if (kindName === undefined) {
    return writeFiles(
      options,
      (session) =>
        ({ kind, object }) =>
          removeOne(session, kind, object.metadata, options),
    );
  }
  if (names.length === 0) throw new CommandError(`Say which ${kindName} to delete: one or more names`);
  const kind = findPrintedKind(kindName);
  await using session = await openSession(options);
  const namespace = kind.namespaced ? (options.namespace ?? session.namespace) : undefined;
  const report = new Report(options.output, names.length);
  for (const name of names) {
    const identity = { kind: kind.kind, name, ...(namespace && { namespace }) };
    report.add(
      await removeOne(session, kind, { name, ...(namespace && { namespace }) }, options).then(
        (outcome): Outcome => ({ ...identity, ...outcome }),
        (error: unknown): Failure => ({ ...identity, result: 'failed', problems: problemsOf(error) }),
      ),
    );
  }
  return report.end();
}

async function removeOne(
  session: Session,
  kind: ValidObject['kind'],
  key: { name: string; namespace?: string },
  { skipNotExists }: DeleteOptions,
): Promise<Pick<Outcome, 'result' | 'note'>> {
  try {
    await deleteStored(session.client, kind, key, {});
    return { result: 'deleted' };
  } catch (error) {
    if (!(error instanceof NotFoundError) || !skipNotExists) throw error;
    return { result: 'skipped', note: 'it does not exist' };
  }
}

async function writeFiles(options: WriteCommandOptions, open: (session: Session) => Write): Promise<number> {
  if (!options.filename?.length)
    throw new CommandError('Say which files to read with -f; "-" is the standard input');
  const loaded = await loadObjects(options);
  await using session = await openSession(options);
  // Awaited here, because the session closes when this function ends.
  return await writeObjects(loaded, options.namespace, session, options.output, open(session));
}
