// Runs a Go template over what `get` found.
import { readFileSync } from 'node:fs';
import { executeTemplate } from '../go-template/index.ts';
import { CommandError } from '../problem.ts';
import type { Format } from './format.ts';

/**
 * Upstream hands a template a list of what it found per kind, kubectl the one document: ours is that list, with the document's
 * fields besides, so that "{{range .}}{{range .Items}}" and "{{range .items}}" both say what their users expect.
 */
export function runTemplate(
  format: Extract<Format, { type: 'template' | 'template-file' }>,
  perKind: readonly object[],
  document: object,
): string {
  const text = format.type === 'template' ? format.template : readTemplate(format.file);
  try {
    return executeTemplate(text, Object.assign([...perKind], document));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`Cannot run the template: ${why}`, undefined, { cause });
  }
}

function readTemplate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`Cannot read the template "${file}": ${why}`, undefined, { cause });
  }
}
