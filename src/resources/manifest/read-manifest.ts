// Reads the objects of a YAML or JSON text: several documents, and lists of objects within them. What is wrong is told
// with its line, and never stops the rest. Opens no files.
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from 'yaml';
import { calicoKinds } from '../calico-kinds.ts';
import { isObject, jsonSchemaOf } from '../json-schema.ts';
import { nearestName } from '../nearest-name.ts';
import { apiVersionOf, type Resource, type ResourceKind } from '../resource.ts';
import { type Steps, validate } from '../validate.ts';
import { locate } from './locate.ts';
import type { ManifestEntry, ManifestFault } from './manifest-entry.ts';
import { withOldBooleans } from './old-booleans.ts';

/**
 * One entry per object, in the order of the text; documents without content count as nothing. `file` only names the
 * text in faults. Objects of other kinds than `kinds` are faults.
 */
export function readManifest(
  text: string,
  file: string,
  kinds: readonly ResourceKind[] = calicoKinds,
): ManifestEntry[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, merge: true, prettyErrors: false });
  if (!Array.isArray(parsed)) return [];
  return parsed.flatMap((document) => {
    const reader = new DocumentReader(document, file, lines, kinds);
    return reader.read();
  });
}

class DocumentReader {
  readonly #document: Document;
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #kinds: readonly ResourceKind[];

  constructor(document: Document, file: string, lines: LineCounter, kinds: readonly ResourceKind[]) {
    this.#document = document;
    this.#file = file;
    this.#lines = lines;
    this.#kinds = kinds;
  }

  read(): ManifestEntry[] {
    const { errors, contents } = this.#document;
    if (errors.length > 0) return this.#refuse(errors.map(({ pos, message }) => [pos[0], message]));
    if (!isNode(contents) || (isScalar(contents) && contents.value === null)) return [];
    try {
      return this.#entriesOf(contents);
    } catch (error) {
      // The parser refuses aliases that would grow beyond measure, or that name nothing, only when they are followed.
      if (!(error instanceof ReferenceError)) throw error;
      return this.#refuse([[contents.range?.[0] ?? 0, error.message]]);
    }
  }

  #refuse(wrongs: readonly (readonly [offset: number, message: string])[]): ManifestEntry[] {
    const faults = wrongs.map(([offset, message]): ManifestFault => {
      const { line, col } = this.#lines.linePos(offset);
      const [file, path, value] = [this.#file, '', undefined];
      return { file, line, column: col, path, value, message: `is not YAML: ${message}` };
    });
    return [{ file: this.#file, line: faults[0]?.line ?? 1, faults }];
  }

  /** The entries of one node: an object gives one, a list of objects as many as it has items. */
  #entriesOf(node: Node): ManifestEntry[] {
    const items = isMap(node) && isListKind(node.get('kind')) ? node.get('items') : undefined;
    if (isSeq(items)) return items.items.flatMap((item) => (isNode(item) ? this.#entriesOf(item) : []));
    const value: unknown = node.toJS(this.#document);
    const { line } = locate(this.#document, node, [], this.#lines);
    const fault = (steps: Steps, path: string, wrong: unknown, message: string): ManifestFault => ({
      file: this.#file,
      ...locate(this.#document, node, steps, this.#lines),
      path,
      value: wrong,
      message,
    });
    const refuse = (steps: Steps, path: string, wrong: unknown, message: string): ManifestEntry[] => [
      { file: this.#file, line, faults: [fault(steps, path, wrong, message)] },
    ];
    if (!isObject(value))
      return refuse([], '', value, 'must be an object with apiVersion, kind and metadata');
    const kind = this.#kinds.find((known) => known.kind === value.kind);
    if (!kind) return refuse(['kind'], 'kind', value.kind, this.#unknownKind(value.kind));
    if (value.apiVersion !== apiVersionOf(kind)) {
      const message = `must be "${apiVersionOf(kind)}" for a ${kind.kind}`;
      return refuse(['apiVersion'], 'apiVersion', value.apiVersion, message);
    }
    if (!isObject(value.metadata)) {
      const message = value.metadata === undefined ? 'is required' : 'must be an object';
      return refuse(['metadata'], 'metadata', value.metadata, message);
    }
    const object = (
      kind.schema ? withOldBooleans(jsonSchemaOf(kind.schema), value, node) : value
    ) as Resource;
    const faults = validate(kind, object).map((wrong) =>
      fault(wrong.steps, wrong.path, wrong.value, wrong.message),
    );
    return [
      faults.length > 0 ? { file: this.#file, line, faults } : { file: this.#file, line, object, kind },
    ];
  }

  #unknownKind(name: unknown): string {
    if (name === undefined) return 'is required';
    const names = this.#kinds.map(({ kind }) => kind);
    const near = typeof name === 'string' ? nearestName(name, names) : undefined;
    return `must be one of Calico's kinds${near === undefined ? '' : `; did you mean "${near}"?`}`;
  }
}

/** "List", and what lists of one kind are called: "IPPoolList". */
function isListKind(kind: unknown): boolean {
  return typeof kind === 'string' && kind.endsWith('List');
}
