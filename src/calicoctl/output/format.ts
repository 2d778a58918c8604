// The word behind `get -o`, and what it asks for.
import { CommandError } from '../problem.ts';

export type Format =
  | { readonly type: 'ps' | 'wide' | 'yaml' | 'json' }
  | { readonly type: 'columns'; readonly columns: string }
  | { readonly type: 'template'; readonly template: string }
  | { readonly type: 'template-file'; readonly file: string };

/** @throws CommandError that lists the formats */
export function parseFormat(text: string): Format {
  if (text === 'ps' || text === 'wide' || text === 'yaml' || text === 'json') return { type: text };
  const [, name, rest] = /^([a-z-]+)=(.+)$/s.exec(text) ?? [];
  if (rest !== undefined) {
    if (name === 'custom-columns') return { type: 'columns', columns: rest };
    if (name === 'go-template') return { type: 'template', template: rest };
    if (name === 'go-template-file') return { type: 'template-file', file: rest };
  }
  throw new CommandError(
    `"${text}" is not an output format; the formats are ps, wide, yaml, json, custom-columns=..., go-template=... ` +
      'and go-template-file=...',
  );
}
