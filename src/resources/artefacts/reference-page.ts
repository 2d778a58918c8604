// The reference page of a kind in Markdown: one table per object, in the order in which a reader meets them.
// An object that looks like an earlier one refers to it instead of being told twice.
import { stringify } from 'yaml';
import { isObject, type JsonSchema, jsonSchemaOf } from '../json-schema.ts';
import { apiVersionOf, type ResourceKind } from '../resource.ts';
import { boundsOf, rulesOf } from './bounds.ts';

const note = '<!-- Generated from src/resources by "npm run generate"; change it there. -->';

/** The page of one kind that has a schema. */
export function referencePage(kind: ResourceKind): string {
  const names = [kind.plural, ...(kind.shortNames ?? [])].map((name) => `\`${name}\``).join(', ');
  const scope = kind.namespaced ? 'belongs to a namespace' : 'belongs to the whole cluster';
  const page = new Page();
  const root = kind.schema ? jsonSchemaOf(kind.schema) : {};
  for (const [name, schema] of Object.entries(root.properties ?? {})) page.addObject(name, schema);
  return [
    note,
    `# ${kind.kind}`,
    kind.description ?? '',
    `\`${apiVersionOf(kind)}\`, ${scope}. Names for \`kubectl\` and \`calicoctl\`: ${names}.`,
    ...exampleOf(kind),
    ...listOf('An object', kind.rules?.map(({ message }) => message) ?? []),
    ...page.sections,
    '',
  ].join('\n\n');
}

/** The page that leads to all the others. */
export function referenceIndex(kinds: readonly ResourceKind[]): string {
  const rows = [...kinds]
    .sort((a, b) => (a.kind < b.kind ? -1 : 1))
    .map((kind) => `| [${kind.kind}](${kind.kind.toLowerCase()}.md) | ${cell(kind.description ?? '')} |`);
  return [
    note,
    '# Resources',
    'Every kind of object that this project defines. The definitions to install are in `manifests/crds`, and schemas ' +
      'for editors in `docs/schemas`.',
    ['| kind | what it is for |', '|---|---|', ...rows].join('\n'),
    '',
  ].join('\n\n');
}

class Page {
  readonly sections: string[] = [];
  /** Path of the section that tells of an object, by the fields of the object. */
  readonly #told = new Map<string, string>();

  addObject(path: string, schema: JsonSchema): void {
    const heading = `## ${path}`;
    const rules = listOf('It', rulesOf(schema));
    const intro = schema.description === undefined ? [] : [schema.description];
    const fields = JSON.stringify(schema.properties);
    const twin = this.#told.get(fields);
    if (twin !== undefined) {
      const same = `Its fields are those of [${twin}](#${anchorOf(twin)}).`;
      this.sections.push(heading, ...intro, same, ...rules);
      return;
    }
    this.#told.set(fields, path);
    const properties = Object.entries(schema.properties ?? {});
    const rows = properties.map(([name, field]) => row(name, path, field, schema.required?.includes(name)));
    const table = ['| field | type | default | bounds | |', '|---|---|---|---|---|', ...rows].join('\n');
    this.sections.push(heading, ...intro, ...(rows.length > 0 ? [table] : []), ...rules);
    for (const [name, field] of properties) {
      const [inner, suffix] = innermost(field);
      if (inner.properties) this.addObject(`${path}.${name}${suffix}`, inner);
    }
  }
}

function row(name: string, path: string, field: JsonSchema, isRequired = false): string {
  const initial = isRequired && field.default === undefined ? '*required*' : defaultOf(field);
  // The rules of an object stand in its own section.
  const bounds = field.properties ? [] : [...boundsOf(field), ...boundsOfItems(field)];
  const cells = [`\`${name}\``, typeOf(field, `${path}.${name}`), initial, bounds.join('; ')];
  return `| ${[...cells, field.description ?? ''].map(cell).join(' | ')} |`;
}

function defaultOf(field: JsonSchema): string {
  return field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``;
}

function boundsOfItems({ items }: JsonSchema): string[] {
  if (!items || items.properties) return [];
  const bounds = boundsOf(items);
  return bounds.length === 0 ? [] : [`each ${bounds.join(', ')}`];
}

/** "list of strings", with a link where the reader goes on. */
function typeOf(field: JsonSchema, path: string): string {
  if (field['x-kubernetes-int-or-string']) return 'integer or string';
  if (field.items) return `list of ${plural(typeOf(field.items, `${path}[]`))}`;
  if (field.additionalProperties) return `map of ${plural(typeOf(field.additionalProperties, `${path}{}`))}`;
  if (field.properties) return `[object](#${anchorOf(path)})`;
  if (field.format === 'date-time') return 'time';
  return field.nullable ? `${field.type} or null` : (field.type ?? '');
}

function plural(type: string): string {
  if (type.startsWith('[object]')) return type.replace('[object]', '[objects]');
  return type === 'integer or string' ? 'integers or strings' : type.replace(/^(\w+)/, '$1s');
}

/** The object that lists and maps hold in the end, and how the path to it goes on. */
function innermost(field: JsonSchema): [JsonSchema, suffix: string] {
  const [next, step] = field.items ? [field.items, '[]'] : [field.additionalProperties, '{}'];
  if (!isObject(next)) return [field, ''];
  const [inner, rest] = innermost(next);
  return [inner, step + rest];
}

/** How GitHub makes an anchor of a heading. */
function anchorOf(path: string): string {
  return path.toLowerCase().replace(/[^a-z0-9 _-]/g, '');
}

function exampleOf(kind: ResourceKind): string[] {
  if (!kind.example) return [];
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...kind.example };
  return [`\`\`\`yaml\n${stringify(object, { lineWidth: 100 })}\`\`\``];
}

function listOf(subject: string, rules: readonly string[]): string[] {
  return rules.length === 0 ? [] : [rules.map((rule) => `- ${subject} ${rule}.`).join('\n')];
}

/** A table's cell ends at a bar, even within code. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
