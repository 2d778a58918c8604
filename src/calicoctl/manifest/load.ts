// Reads the objects behind `-f`, each with the kind that it is of, or with everything that is wrong with it.
import {
  calicoKinds,
  describeFault,
  type Resource,
  type ResourceKind,
  readManifest,
} from '../../resources/index.ts';
import { findPrintedKind } from '../kinds/find-kind.ts';
import type { PrintedKind } from '../kinds/kinds.ts';
import type { FileOptions } from '../options.ts';
import { CommandError, type Problem } from '../problem.ts';
import { readSources } from './files.ts';

/** One object of a file: as it is to be written, or its problems. */
export type LoadedObject =
  | {
      readonly file: string;
      readonly line: number;
      readonly kind: PrintedKind;
      /** The kind with its schema, where the object has one. */
      readonly schemaKind: ResourceKind;
      readonly object: Resource;
      readonly problems?: undefined;
    }
  | { readonly file: string; readonly line: number; readonly problems: readonly Problem[] };

/** Upstream's Node and WorkloadEndpoint, which no API serves and `get` shows all the same. */
const shownKinds: readonly ResourceKind[] = ['Node', 'WorkloadEndpoint'].map(findPrintedKind);

/** @throws CommandError when a source cannot be read, or holds nothing and that is not allowed */
export async function loadObjects(options: FileOptions): Promise<LoadedObject[]> {
  const kinds = [...calicoKinds, ...shownKinds];
  const loaded: LoadedObject[] = [];
  for (const { file, text } of await readSources(options)) {
    const entries = readManifest(text, file, kinds);
    if (entries.length === 0 && !options.skipEmpty) {
      throw new CommandError(`Cannot read "${file}": it holds no object; --skip-empty allows that`);
    }
    for (const { line, ...entry } of entries) {
      if (entry.faults) {
        const problems = entry.faults.map((fault) => ({
          message: describeFault(fault),
          file,
          line: fault.line,
          path: fault.path,
        }));
        loaded.push({ file, line, problems });
      } else loaded.push(withName(file, line, entry.object, entry.kind));
    }
  }
  if (loaded.length === 0 && !options.skipEmpty) {
    const names = (options.filename ?? []).map((name) => `"${name}"`).join(', ');
    throw new CommandError(`Found no object in ${names}; --skip-empty allows that`);
  }
  return loaded;
}

/** Metadata of kinds with a schema has been judged already; the shown kinds have none. */
function withName(file: string, line: number, object: Resource, schemaKind: ResourceKind): LoadedObject {
  const { name } = object.metadata;
  if (typeof name === 'string' && name !== '') {
    return { file, line, kind: findPrintedKind(schemaKind.kind), schemaKind, object };
  }
  const path = 'metadata.name';
  return { file, line, problems: [{ message: `${file}:${line}: ${path} is required`, file, line, path }] };
}
