// Turns objects into what `get` prints.
import { apiVersionOf, type Resource } from '../../resources/index.ts';
import { type Column, column } from '../kinds/column.ts';
import type { PrintedKind } from '../kinds/kinds.ts';
import { CommandError } from '../problem.ts';
import type { Format } from './format.ts';
import { formatTable } from './table.ts';

export interface ObjectsToPrint {
  readonly kind: PrintedKind;
  readonly objects: readonly Resource[];
  /** Whether a single name was asked for, which is printed without a list around it. */
  readonly isSingle: boolean;
  /** Whether tables must say the namespace. */
  readonly isAcrossNamespaces: boolean;
}

export async function printObjects(print: ObjectsToPrint, format: Format): Promise<string> {
  switch (format.type) {
    case 'ps':
    case 'wide':
      return tableOf(print, format.type === 'wide' ? print.kind.wide : print.kind.ordinary);
    case 'columns':
      return tableOf(print, format.columns.split(','));
    case 'json':
      return `${JSON.stringify(documentOf(print), undefined, 2)}\n`;
    case 'yaml': {
      const { toYaml } = await import('./yaml.ts');
      return toYaml(documentOf(print));
    }
    case 'template':
    case 'template-file': {
      const { runTemplate } = await import('./template.ts');
      return runTemplate(format, documentOf(print));
    }
  }
}

function documentOf({ kind, objects, isSingle }: ObjectsToPrint): object {
  const [only] = objects;
  if (isSingle && only) return only;
  return { apiVersion: apiVersionOf(kind), kind: `${kind.kind}List`, metadata: {}, items: objects };
}

function tableOf({ kind, objects, isAcrossNamespaces }: ObjectsToPrint, headings: readonly string[]): string {
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
