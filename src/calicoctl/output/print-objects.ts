// Turns what `get` found into what it prints.
import { apiVersionOf, type Resource } from '../../resources/index.ts';
import { type Column, column } from '../kinds/column.ts';
import type { PrintedKind } from '../kinds/kinds.ts';
import { CommandError } from '../problem.ts';
import type { Format } from './format.ts';
import { formatTable } from './table.ts';

/** What was found of one kind. */
export interface Found {
  readonly kind: PrintedKind;
  readonly objects: readonly Resource[];
  /** Whether a single name was asked for, which is printed without a list around it. */
  readonly isSingle: boolean;
}

/** One table, list or object; of several kinds a table each, or one list of them all, which can be applied again. */
export async function printObjects(
  found: readonly Found[],
  format: Format,
  { isAcrossNamespaces }: { readonly isAcrossNamespaces: boolean },
): Promise<string> {
  const tables = (headings: (kind: PrintedKind) => readonly string[]) =>
    found.map(({ kind, objects }) => tableOf(kind, objects, headings(kind), isAcrossNamespaces)).join('\n');
  switch (format.type) {
    case 'ps':
      return tables(({ ordinary }) => ordinary);
    case 'wide':
      return tables(({ wide }) => wide);
    case 'columns':
      return tables(() => format.columns.split(','));
    case 'json':
      return `${JSON.stringify(documentOf(found), undefined, 2)}\n`;
    case 'yaml': {
      const { toYaml } = await import('./yaml.ts');
      return toYaml(documentOf(found));
    }
    case 'template':
    case 'template-file': {
      const { runTemplate } = await import('./template.ts');
      return runTemplate(format, found.map(documentOfKind), documentOf(found));
    }
  }
}

function documentOf(found: readonly Found[]): object {
  const [only, ...others] = found;
  if (only && others.length === 0) return documentOfKind(only);
  const items = found.flatMap(({ objects }) => objects);
  return { apiVersion: 'v1', kind: 'List', metadata: {}, items };
}

function documentOfKind({ kind, objects, isSingle }: Found): object {
  const [only] = objects;
  if (isSingle && only) return only;
  return { apiVersion: apiVersionOf(kind), kind: `${kind.kind}List`, metadata: {}, items: objects };
}

function tableOf(
  kind: PrintedKind,
  objects: readonly Resource[],
  headings: readonly string[],
  isAcrossNamespaces: boolean,
): string {
  const wanted = isAcrossNamespaces && kind.namespaced ? ['NAMESPACE', ...headings] : headings;
  const columns = wanted.map((heading) => columnFor(kind, heading));
  return formatTable([
    columns.map(({ heading }) => heading),
    ...objects.map((object) => columns.map(({ value }) => value(object))),
  ]);
}

/** One of the kind's own columns, or "HEADING:.json.path" as kubectl takes it. */
function columnFor(kind: PrintedKind, wanted: string): Column {
  const colon = wanted.indexOf(':');
  if (colon > 0) return column(wanted.slice(0, colon), wanted.slice(colon + 1), '<none>');
  const found = kind.headings.find(({ heading }) => heading === wanted.toUpperCase());
  if (found) return found;
  const known = kind.headings.map(({ heading }) => heading).join(', ');
  throw new CommandError(
    `"${wanted}" is not a column of ${kind.kind}; its columns are ${known}, and HEADING:.path shows any field`,
  );
}
