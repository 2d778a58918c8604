// Writes many objects: in the order of the files, several at once where that cannot matter, one's failure not stopping the rest.
import { keyOf, type Resource } from '../../resources/index.ts';
import type { LoadedObject } from '../manifest/load.ts';
import type { OutputFormat } from '../options.ts';
import { problemsOf } from '../problem.ts';
import type { Session } from '../session.ts';
import type { Failure, Outcome } from './outcome.ts';
import { Report } from './report.ts';

export type ValidObject = Extract<LoadedObject, { object: Resource }>;

/** What a command did to an object; where it stands is added here. */
export type Write = (
  entry: ValidObject,
) => Promise<Omit<Outcome, 'kind' | 'name' | 'namespace' | 'file' | 'line'>>;

/** How many requests are under way at once. */
const parallel = 8;

/** Returns the exit code. */
export async function writeObjects(
  loaded: readonly LoadedObject[],
  namespace: string | undefined,
  session: Pick<Session, 'namespace'>,
  format: OutputFormat,
  write: Write,
): Promise<number> {
  const report = new Report(format, loaded.length);
  for (const batch of batches(loaded)) {
    for (const result of await Promise.all(
      batch.map((entry) => writeOne(entry, namespace ?? session.namespace, write)),
    )) {
      report.add(result);
    }
  }
  return report.end();
}

/** Neighbours of one kind, no object twice: a tier is there before the policies that the file lists after it. */
function* batches(loaded: readonly LoadedObject[]): Generator<LoadedObject[]> {
  let batch: LoadedObject[] = [];
  let kind = '';
  let keys = new Set<string>();
  for (const entry of loaded) {
    const own = entry.problems ? kind : entry.kind.kind;
    const key = entry.problems ? '' : keyOf(entry.object);
    if (batch.length === parallel || own !== kind || (key !== '' && keys.has(key))) {
      if (batch.length > 0) yield batch;
      batch = [];
      keys = new Set();
    }
    kind = own;
    batch.push(entry);
    keys.add(key);
  }
  if (batch.length > 0) yield batch;
}

async function writeOne(entry: LoadedObject, namespace: string, write: Write): Promise<Outcome | Failure> {
  const { file, line } = entry;
  if (entry.problems) return { file, line, result: 'failed', problems: entry.problems };
  const { kind } = entry;
  const metadata = kind.namespaced ? { ...entry.object.metadata } : entry.object.metadata;
  if (kind.namespaced) metadata.namespace ??= namespace;
  const identity = {
    kind: kind.kind,
    name: metadata.name,
    ...(metadata.namespace && { namespace: metadata.namespace }),
    file,
    line,
  };
  try {
    return { ...identity, ...(await write({ ...entry, object: { ...entry.object, metadata } })) };
  } catch (error) {
    const problems = problemsOf(error).map((problem) => ({
      ...problem,
      message: `${file}:${line}: ${problem.message}`,
    }));
    return { ...identity, result: 'failed', problems };
  }
}
